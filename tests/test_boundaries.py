"""The rules of the house that a machine can check (docs/architecture.md names these tests)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedlock.tracers.base import TRACERS as TRACED
from tests.interpreter import REPOSITORY

ADAPTERS = {
    f"adapters.{name}"
    for name in ("python", "numpy", "torch", "tensorflow", "keras", "mxnet", "jax")
}

TRACERS = {f"tracers.{name}" for name in TRACED}

ORDER = [
    {"errors"},
    {"settings", "processor", "shared_objects"},
    {"derivation", "eigen", "portable"},
    {"branches"},
    {"registry"},
    {"trial_imports"},
    {"stand_ins"},
    {"callers", "patching", "seed_values", "hash_seed", "arrays", "set_kinds"},
    {"slots"},
    {"hash_order", "order_counts"},
    {"order_instructions"},
    {"order_sites"},
    {"torch_contents"},
    {"contents"},
    {"user_seeds", "digests"},
    {"lineage", "trace_blocks", "trace_file", "trace_lines", "trace_threads"},
    {"trace"},
    {"tracers.base"},
    {"tracers.tensorflow_queue"},
    {
        "tracers.jax_functions",
        "tracers.jax_operations",
        "tracers.mxnet_operations",
        "tracers.tensorflow_functions",
        "tracers.torch_operations",
    },
    {"tracers.tensorflow_reads"},
    TRACERS - {"tracers.keras"} | {"tracers.keras_batches"},
    {"tracers.keras"},
    {"adapters.xla_flags"},
    {"adapters.outline"},
    {"adapters"},
    {
        "adapters.mxnet_generators",
        "adapters.numpy_seeds",
        "adapters.python_seeds",
        "adapters.tensorflow_portable",
        "adapters.tensorflow_seeds",
        "adapters.torch_devices",
        "adapters.torch_loaders",
        "adapters.torch_portable",
    },
    {"adapters.python_copies"},
    ADAPTERS,
    {"tracers.base"},
    {"tracers.tensorflow_functions"},
    {"tracers.keras", "tracers.tensorflow"},
    {"shared_loaders"},
    {"import_hooks"},
    {"driver"},
    {"places", "undrawing"},
    {"process_lock"},
    {"machine", "reads"},
    {"reporting"},
    {"endings"},
    {"children", "entropy", "shared_arrays", "threads"},
    {"startup"},
    {"tasks", "fixed_blocks", "metrics"},
    {"api"},
    {"environment"},
    {"evaluation.plain_files"},
    {"evaluation.report_shape"},
    {
        "evaluation.drawing",
        "evaluation.container_engine",
        "evaluation.file_digests",
        "evaluation.data.sources",
        "evaluation.findings",
        "evaluation.full_disk",
        "evaluation.lifeline",
        "evaluation.json_schema",
        "evaluation.manifest",
        "evaluation.manifest_probe",
        "evaluation.markdown_text",
        "evaluation.nondeterministic",
        "evaluation.number_formats",
        "evaluation.number_text",
        "evaluation.option_values",
        "evaluation.pages",
        "evaluation.process_groups",
        "evaluation.processes",
        "evaluation.requirements",
        "evaluation.submission.points",
        "evaluation.sealing.control_groups",
        "evaluation.sealing.folder_size",
        "evaluation.sealing.guarantees",
        "evaluation.sealing.limits",
        "evaluation.sealing.places",
        "evaluation.sealing.probe",
        "evaluation.sealing.processors",
        "evaluation.sealing.seccomp",
        "evaluation.sealing.signs",
        "evaluation.sealing.supervisor",
        "evaluation.sealing.takings",
        "evaluation.sealing.variables",
        "evaluation.set_order",
        "evaluation.sql_database",
        "evaluation.time_stamps",
    },
    {"evaluation.charts"},
    {"evaluation.writing", "evaluation.data.archives", "evaluation.data.downloading"},
    {"evaluation.data.data_lock"},
    {"evaluation.data.caching", "evaluation.data.verifying"},
    {"evaluation.data.fetching", "evaluation.data.providing", "evaluation.data.fetch_progress"},
    {"evaluation.bill_of_materials", "evaluation.image_facts", "evaluation.lock_files"},
    {"evaluation.manifest_diff", "evaluation.manifest_sources"},
    {"evaluation.manifest_text"},
    {"evaluation.sealing.inspection", "evaluation.sealing.sealed"},
    {"evaluation.sealing.bubblewrap", "evaluation.sealing.docker"},
    {"evaluation.sealing.seal"},
    {"evaluation.elements", "evaluation.traces"},
    {"evaluation.evidence", "evaluation.lockstep"},
    {"evaluation.surroundings"},
    {"evaluation.causes"},
    {"evaluation.causation", "evaluation.timelines"},
    {"evaluation.divergence"},
    {"evaluation.divergence_text"},
    {"evaluation.array_contents", "evaluation.json_contents", "evaluation.runs"},
    {
        "evaluation.plan",
        "evaluation.records",
        "evaluation.text_contents",
        "evaluation.torch_contents",
    },
    {"evaluation.archive_contents", "evaluation.progress", "evaluation.watching"},
    {"evaluation.file_contents"},
    {"evaluation.outputs", "evaluation.uncompared"},
    {"evaluation.comparison"},
    {"evaluation.verdict"},
    {"evaluation.advice", "evaluation.verify_text"},
    {"evaluation.verify", "evaluation.verify_page"},
    {
        "evaluation.recording.gpu_meter",
        "evaluation.recording.host",
        "evaluation.recording.in_toto",
        "evaluation.recording.metrics",
        "evaluation.recording.sealed_run",
        "evaluation.recording.reads",
        "evaluation.recording.record",
        "evaluation.recording.run_data",
        "evaluation.recording.ro_crate",
        "evaluation.recording.source",
        "evaluation.recording.staging",
        "evaluation.recording.trace_digest",
    },
    {
        "evaluation.recording.outcome",
        "evaluation.recording.recipe",
        "evaluation.recording.usage",
    },
    {"evaluation.recording.recorded_run", "evaluation.recording.show_text"},
    {"evaluation.recording.show_page"},
    {
        "evaluation.submission.check_progress",
        "evaluation.submission.handed_files",
        "evaluation.submission.images",
        "evaluation.submission.submission_file",
    },
    {"evaluation.rounds.canonical", "evaluation.rounds.merkle"},
    {"evaluation.rounds.beacon"},
    {"evaluation.rounds.claims", "evaluation.rounds.passphrase", "evaluation.rounds.policy"},
    {
        "evaluation.rounds.handed_in",
        "evaluation.rounds.hidden_seeds",
        "evaluation.rounds.ledger_lines",
        "evaluation.rounds.lots",
        "evaluation.rounds.policy_file",
        "evaluation.rounds.round_files",
    },
    {
        "evaluation.rounds.formats",
        "evaluation.rounds.secret_file",
        "evaluation.rounds.shown_runs",
    },
    {"evaluation.rounds.ceremony"},
    {"evaluation.rounds.checked_part"},
    {"evaluation.rounds.receipt", "evaluation.rounds.standing", "evaluation.rounds.steps"},
    {"evaluation.rounds.verification"},
    {
        "evaluation.replaying.manifest",
        "evaluation.replaying.matching",
        "evaluation.replaying.output_folder",
        "evaluation.replaying.progress",
        "evaluation.replaying.seal_again",
        "evaluation.replaying.tolerance",
    },
    {
        "evaluation.replaying.bundle_tar",
        "evaluation.replaying.bundle_zip",
        "evaluation.replaying.likeness",
        "evaluation.replaying.request",
        "evaluation.replaying.sets",
    },
    {"evaluation.submission.of_round"},
    {"evaluation.replaying.unpacking", "evaluation.submission.check"},
    {"evaluation.replaying.shown_anew"},
    {"evaluation.replaying.products"},
    {"evaluation.replaying.replay"},
    {"evaluation.replaying.bundle", "evaluation.replaying.replay_text"},
    {"evaluation.ledger.chain", "evaluation.ledger.states"},
    {"evaluation.ledger.tables"},
    {
        "evaluation.ledger.course",
        "evaluation.ledger.database",
        "evaluation.ledger.exporting",
        "evaluation.ledger.page",
        "evaluation.ledger.queueing",
        "evaluation.ledger.reading",
        "evaluation.ledger.status",
    },
    {
        "evaluation.ledger.leases",
        "evaluation.ledger.status_text",
        "evaluation.ledger.verification",
    },
    {"evaluation.ledger.ledger"},
    {"evaluation.ledger.behind"},
    {"evaluation.engines.base"},
    {"evaluation.engines.unit"},
    {"evaluation.engines.nursery"},
    {"evaluation.engines.process"},
    {"evaluation.engines.docker"},
    {"evaluation.engines.slurm_commands", "evaluation.engines.slurm_spool"},
    {
        "evaluation.engines.apptainer",
        "evaluation.engines.slurm_start",
        "evaluation.engines.slurm_states",
    },
    {"evaluation.engines.slurm"},
    {"evaluation.engines.choosing"},
    {
        "evaluation.evaluating.entries",
        "evaluation.evaluating.results",
        "evaluation.evaluating.slots",
    },
    {"evaluation.evaluating.evaluation", "evaluation.evaluating.preparing"},
    {"evaluation.evaluating.progress", "evaluation.evaluating.taking_up"},
    {"evaluation.evaluating.session", "evaluation.reference.reference_errors"},
    {
        "evaluation.reference.kept_traces",
        "evaluation.reference.models_file",
        "evaluation.reference.stored",
        "evaluation.reference.surroundings",
    },
    {"evaluation.reference.from_records", "evaluation.reference.staged"},
    {"evaluation.reference.measuring"},
    {"evaluation.engines.kubernetes", "evaluation.engines.kubernetes_volume"},
    {"evaluation.evaluating.collecting"},
    {
        "evaluation.spot_checks.keys",
        "evaluation.spot_checks.publishing",
        "evaluation.spot_checks.returned",
        "evaluation.spot_checks.terms",
    },
    {"evaluation.spot_checks.round_terms", "evaluation.spot_checks.signature"},
    {"evaluation.spot_checks.admission", "evaluation.spot_checks.spot_check"},
    {"evaluation.spot_checks.spot_check_text"},
    {
        "evaluation.scores.decidability",
        "evaluation.scores.failures",
        "evaluation.scores.read_record",
        "evaluation.scores.summaries",
    },
    {
        "evaluation.reference.power",
        "evaluation.scores.convergence_points",
        "evaluation.scores.pairwise",
        "evaluation.scores.permutation",
        "evaluation.scores.ranking",
        "evaluation.scores.results",
    },
    {
        "evaluation.scores.comparisons",
        "evaluation.scores.round_results",
        "evaluation.scores.scoring",
    },
    {"evaluation.reference.judging", "evaluation.reference.first_difference"},
    {"evaluation.reference.standing_apart"},
    {"evaluation.reference.checking"},
    {"evaluation.reference.check_text", "evaluation.reference.show_text"},
    {
        "evaluation.reference.installed_sizes",
        "evaluation.reference.lock_blocks",
        "evaluation.reference.lock_changes",
        "evaluation.reference.speed",
    },
    {"evaluation.reference.lock_page"},
    {"evaluation.reference.lock_numbers", "evaluation.reference.release"},
    {"evaluation.reference.lock_words"},
    {"evaluation.reference.lock_markdown"},
    {"evaluation.reference.lock_html"},
    {"evaluation.reference.page_command"},
    {"evaluation.scores.standings"},
    {"evaluation.scores.head_to_head", "evaluation.scores.spreadsheet"},
    {"evaluation.watch.evidence", "evaluation.watch.expectation"},
    {"evaluation.watch.expected_values", "evaluation.watch.level", "evaluation.watch.log_lines"},
    {"evaluation.watch.change", "evaluation.watch.following"},
    {"evaluation.watch.watcher"},
    {"evaluation.watch.asked", "evaluation.watch.watch_text"},
    {"evaluation.watch.watch_page"},
    {"evaluation.checklists.facts", "evaluation.checklists.sheets"},
    {"evaluation.checklists.answers", "evaluation.checklists.gathering"},
    {"evaluation.checklists.of_runs", "evaluation.checklists.sheet_text"},
    {"evaluation.checklists.of_artifacts", "evaluation.checklists.sheet_page"},
    {"evaluation.checklists.badges"},
    {"evaluation.checklists.filled"},
    {
        "evaluation.apptainer_command",
        "evaluation.checklist_command",
        "evaluation.data_command",
        "evaluation.diff_command",
        "evaluation.evaluate_command",
        "evaluation.kubernetes_command",
        "evaluation.ledger_command",
        "evaluation.manifest_command",
        "evaluation.recording.export_command",
        "evaluation.recording.run_command",
        "evaluation.recording.show_command",
        "evaluation.reference_command",
        "evaluation.replaying.bundle_command",
        "evaluation.replaying.replay_command",
        "evaluation.round_command",
        "evaluation.status_command",
        "evaluation.submission.check_command",
        "evaluation.spot_checks.sign_command",
        "evaluation.spot_checks.spot_check_command",
        "evaluation.unit_command",
        "evaluation.verify_command",
        "evaluation.watch_command",
    },
    {
        "leaderboard.links",
        "leaderboard.round_state",
        "leaderboard.verification_levels",
    },
    {"leaderboard.board_order", "leaderboard.rendering"},
    {"leaderboard.board_view", "leaderboard.curves"},
    {
        "leaderboard.ceremony_view",
        "leaderboard.compare_view",
        "leaderboard.ledger_view",
        "leaderboard.rounds_view",
        "leaderboard.submission_view",
    },
    {"leaderboard.board_errors"},
    {
        "leaderboard.archive",
        "leaderboard.client_answer",
        "leaderboard.file_cache",
        "leaderboard.store",
        "leaderboard.token_file",
        "leaderboard.verifying",
    },
    {"leaderboard.client", "leaderboard.intake", "leaderboard.publication"},
    {"leaderboard.signed_records"},
    {
        "leaderboard.configuration", "leaderboard.head_requests", "leaderboard.headers",
        "leaderboard.tables",
    },
    {"leaderboard.access", "leaderboard.database"},
    {"leaderboard.tokens"},
    {"leaderboard.audit", "leaderboard.first_link", "leaderboard.problems", "leaderboard.sessions"},
    {"leaderboard.credentials", "leaderboard.moments", "leaderboard.rate_limits"},
    {"leaderboard.kept_rounds", "leaderboard.uploads"},
    {"leaderboard.withheld"},
    {"leaderboard.dependencies", "leaderboard.entrance"},
    {"leaderboard.api.asked"},
    {"leaderboard.api.images", "leaderboard.api.rounds", "leaderboard.api.submissions"},
    {"leaderboard.api.records"},
    {"leaderboard.api.board", "leaderboard.api.proofs", "leaderboard.api.signed_records"},
    {"leaderboard.api.replays"},
    {"leaderboard.forms"},
    {"leaderboard.pages.showing"},
    {
        "leaderboard.api.audit",
        "leaderboard.api.me",
        "leaderboard.api.strict_json",
        "leaderboard.api.teams",
        "leaderboard.api.tokens",
        "leaderboard.pages.sign_in",
    },
    {
        "leaderboard.pages.account",
        "leaderboard.pages.administration",
        "leaderboard.pages.first",
    },
    {"leaderboard.pages.opened", "leaderboard.pages.page_cache"},
    {"leaderboard.pages.downloads", "leaderboard.pages.shown_submission"},
    {"leaderboard.pages.public", "leaderboard.pages.team_uploads"},
    {"leaderboard.application"},
    {"leaderboard.serving"},
    {"leaderboard.show_table"},
    {"leaderboard.show_command"},
    {"leaderboard.own_uploads"},
    {"leaderboard.submit_command"},
    {
        "leaderboard.fetch_command",
        "leaderboard.publish_command",
        "leaderboard.replayed_command",
        "leaderboard.token_command",
    },
    {"leaderboard.export_layout"},
    {"leaderboard.board_recount", "leaderboard.export_sums", "leaderboard.folder_swap"},
    {"leaderboard.export_pages"},
    {"leaderboard.export_verification", "leaderboard.exporting", "leaderboard.fetched_round"},
    {"leaderboard.export_command"},
    {"leaderboard.board_command", "leaderboard.serve_command"},
    {"cli"},
    {"__main__"},
]  # fmt: skip
"""Modules from the bottom to the top; a module imports from rows below its own only."""

PACKAGE = REPOSITORY / "seedlock"
ORGANISER = ("evaluation.", "leaderboard.")
"""The organiser's half, which runs in no submission."""

STANDARD_LIBRARY_ONLY = {"seedlock", "numpy", "pynvml", "_sha2", "xxhash"}
"""Beyond this version's standard library: itself; NumPy in `rng` and NVML in a report, both if
they are there; XXH3 for digests, if it is there; CPython 3.12's SHA-256."""


def modules() -> dict[str, Path]:
    """Return the package's modules by their names below seedlock."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name != "__init__.py" or path.parent == PACKAGE / "adapters"
    }


def imports(path: Path) -> Iterator[str]:
    """Yield the full names that a file imports, but for type checking."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rank(name: str) -> int | None:
    """Return the row of the module that a full name belongs to, or None for other packages."""
    while name:
        for row, names in enumerate(ORDER):
            if name in {f"seedlock.{each}" for each in names}:
                return row
        name = name.rpartition(".")[0]  # of what stands in a module, or of a package
    return None


def test_every_module_has_its_place() -> None:
    """No module stands outside the order of imports."""
    assert set(modules()) == set.union(*ORDER)


@pytest.mark.parametrize("name", modules())
def test_imports_go_one_way(name: str) -> None:
    """A module imports only from rows below its own."""
    own = rank(f"seedlock.{name}")
    assert own is not None

    for imported in imports(modules()[name]):
        row = rank(imported)
        assert row is None or row < own or imported.startswith("seedlock.__"), imported


@pytest.mark.parametrize("name", [each for each in modules() if not each.startswith(ORGANISER)])
def test_the_half_inside_has_no_dependency(name: str) -> None:
    """What runs inside a submission imports the standard library only."""
    import sys

    for imported in imports(modules()[name]):
        top = imported.split(".")[0]
        assert top in sys.stdlib_module_names or top in STANDARD_LIBRARY_ONLY, imported


def test_the_half_inside_never_imports_the_organisers() -> None:
    """Only the command line knows the organiser's half."""
    for name, path in modules().items():
        if not name.startswith(ORGANISER) and name != "cli":
            theirs = ("seedlock.evaluation", "seedlock.leaderboard")
            assert not any(imported.startswith(theirs) for imported in imports(path)), name


def broad_handlers(path: Path) -> list[str]:
    """Return the handlers of a file that catch everything."""
    found = [node for node in ast.walk(ast.parse(path.read_text()))
             if isinstance(node, ast.ExceptHandler)]  # fmt: skip
    texts = ["" if node.type is None else ast.unparse(node.type) for node in found]
    return [text for text in texts if text in ("", "Exception", "BaseException")]


def test_one_broad_except() -> None:
    """Only startup.guarded catches everything."""
    found = {name: broad_handlers(path) for name, path in modules().items()}

    assert {name: texts for name, texts in found.items() if texts} == {"startup": ["BaseException"]}


def test_only_the_command_line_prints_and_exits() -> None:
    """Library code raises; startup has the one way out for a refused run."""
    loud = {
        name
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "sys.exit", "exit")
    }
    hard = {name for name, path in modules().items() if "_exit(EXIT_CONFIG" in path.read_text()}

    assert {name for name in loud if not name.endswith("_command")} == {"cli", "__main__"}
    assert all(name.startswith(ORGANISER) for name in loud - {"cli", "__main__"})
    assert hard == {"startup"}


def outline(path: Path) -> list[str]:
    """Return the public methods of the adapter in a file, in their order."""
    classes = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    return [
        node.name for node in classes[0].body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_all_adapters_have_one_outline(name: str) -> None:
    """Knowing one adapter is knowing all: the same methods in the same order; those that keep an
    import short, and those that tell what only a report can know, come beside what they put off."""
    expected = [
        "environment",
        "intercept",
        "seed",
        "set_deterministic",
        "flags",
        "state",
        "restore",
        "gaps",
    ]

    put_off = {"defer": "intercept", "state_of_seed": "state", "unused": "gaps"}
    found = outline(PACKAGE / (name.replace(".", "/") + ".py"))

    assert [method for method in found if method not in put_off] == expected
    for method in put_off.keys() & set(found):
        assert found[found.index(method) - 1] == put_off[method]


@pytest.mark.parametrize("name", modules())
def test_no_file_outgrows_its_purpose(name: str) -> None:
    """40 to 300 lines, and no room for odds and ends."""
    assert len(modules()[name].read_text().splitlines()) <= 300
    assert not {"utils", "misc", "helpers", "common"} & set(name.split("."))
