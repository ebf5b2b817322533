"""How Data Docs become HTML: Great Expectations' own pages, with data escaped. Not here: what the pages contain."""

from __future__ import annotations

from html import escape
from typing import Any

from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import pass_context


class EscapingPageView(DefaultJinjaPageView):  # type: ignore[misc]
    """Great Expectations puts the values of failing rows into its tables as they are; here `<` in an id stays text."""

    @pass_context
    def render_content_block(self, jinja_context: Any, content_block: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(content_block, str):
            return escape(content_block)
        return super().render_content_block(jinja_context, content_block, *args, **kwargs)
