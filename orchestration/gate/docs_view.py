"""How Data Docs become HTML: Great Expectations' own pages, with data escaped and without what they load from the web.

The templates beside this module take the place of those that need scripts, styles or pictures from elsewhere.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader, pass_context


class OfflinePageView(DefaultJinjaPageView):  # type: ignore[misc]
    """A page that needs nothing beside itself.

    Great Expectations puts the values of failing rows into its tables as they are; here `<` in an id stays text.
    """

    def __init__(self, **places: Any) -> None:
        super().__init__(**places)
        ours = FileSystemLoader(Path(__file__).with_name("templates"))
        self.env.loader = ChoiceLoader([ours, self.env.loader])

    @pass_context
    def render_content_block(self, jinja_context: Any, content_block: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(content_block, str):
            return escape(content_block)
        return super().render_content_block(jinja_context, content_block, *args, **kwargs)
