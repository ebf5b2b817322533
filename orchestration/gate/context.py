"""Great Expectations' data context of a home, its checkpoint and Data Docs. Not here: the suite, or reading a verdict.

Configuration is written anew each time, so that a crash halfway through writing it can't stop the next run.
Results of the latest runs stay. How Data Docs come to need no network is in `docs_view`.
"""

from __future__ import annotations

import shutil
from typing import Any

import great_expectations as gx
from great_expectations.data_context.data_context.file_data_context import FileDataContext
from great_expectations.data_context.types.resource_identifiers import ExpectationSuiteIdentifier

from expectations.suites import INDEX, SUITE_NAME
from orchestration.gate.verdict import GateError
from orchestration.home.layout import Home

#: How many ranges of weeks keep their results and pages, the latest.
KEPT = 26
_REWRITTEN = ("expectations", "checkpoints", "validation_definitions")

_CONFIG = """\
config_version: 4.0
analytics_enabled: false
data_context_id: 00000000-0000-0000-0000-000000000000
progress_bars:
  globally: false
plugins_directory: plugins/
expectations_store_name: expectations_store
validation_results_store_name: validation_results_store
checkpoint_store_name: checkpoint_store
stores:
  expectations_store:
    class_name: ExpectationsStore
    store_backend: {class_name: TupleFilesystemStoreBackend, base_directory: expectations/}
  validation_results_store:
    class_name: ValidationResultsStore
    store_backend: {class_name: TupleFilesystemStoreBackend, base_directory: validations/}
  checkpoint_store:
    class_name: CheckpointStore
    store_backend: {class_name: TupleFilesystemStoreBackend, base_directory: checkpoints/}
  validation_definition_store:
    class_name: ValidationDefinitionStore
    store_backend: {class_name: TupleFilesystemStoreBackend, base_directory: validation_definitions/}
data_docs_sites:
  gate:
    class_name: SiteBuilder
    show_how_to_buttons: false
    store_backend: {class_name: TupleFilesystemStoreBackend, base_directory: ../}
    site_index_builder:
      class_name: DefaultSiteIndexBuilder
      view: {module_name: orchestration.gate.docs_view, class_name: OfflinePageView}
    site_section_builders:
      profiling: None
      expectations: {view: {module_name: orchestration.gate.docs_view, class_name: OfflinePageView}}
      validations: {view: {module_name: orchestration.gate.docs_view, class_name: OfflinePageView}}
""".replace("FilesystemStoreBackend,", "FilesystemStoreBackend, suppress_store_backend_id: true,")


def open_context(home: Home) -> FileDataContext:
    folder = home.gate_context
    for name in _REWRITTEN:
        shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FileDataContext.GX_YML).write_text(_CONFIG, encoding="utf-8")
    return gx.get_context(mode="file", context_root_dir=folder)


def add_checkpoint(context: FileDataContext, suite: gx.ExpectationSuite) -> gx.Checkpoint:
    """The checkpoint that judges one frame by the suite and names every row that fails."""
    asset = context.data_sources.add_or_update_pandas("profile").add_dataframe_asset("weeks")
    definition = gx.ValidationDefinition(
        name=SUITE_NAME,
        data=asset.add_batch_definition_whole_dataframe("weeks"),
        suite=context.suites.add_or_update(suite),
    )
    checkpoint = gx.Checkpoint(
        name=SUITE_NAME,
        validation_definitions=[context.validation_definitions.add_or_update(definition)],
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": list(INDEX)},
    )
    return context.checkpoints.add_or_update(checkpoint)


def build_data_docs(home: Home, context: FileDataContext, validation: Any) -> None:
    """The pages of this validation and of the suite, and the index of all that are kept (which is slow)."""
    for folder in (home.gate_context, home.data_docs):
        weeks = sorted((folder / "validations" / SUITE_NAME).glob("*-*-*"), reverse=True)
        for of_weeks in weeks[KEPT:]:
            if of_weeks.name != validation.run_id.run_name:
                shutil.rmtree(of_weeks)
    context.build_data_docs(resource_identifiers=[validation, ExpectationSuiteIdentifier(SUITE_NAME)])
    page = home.data_docs / "validations" / SUITE_NAME / validation.run_id.run_name
    for written in (page, home.data_docs_index):  # a page that fails is a printed warning to Great Expectations
        if not written.exists():
            raise GateError(f"Great Expectations wrote no {written}.\nRemove {home.data_docs} and run again.")
