"""What ``plan``, ``apply`` and ``undo`` ask, print while they work, and print at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth import propagation, spf
from netcup_mailauth.actions import session
from netcup_mailauth.cli import onward
from netcup_mailauth.cli.many import Many
from netcup_mailauth.cli.output import (
    Progress,
    complain,
    confirmed,
    say,
    settings,
    show,
    use_colour,
    warn,
    width,
)
from netcup_mailauth.errors import ExitCode, worst
from netcup_mailauth.findings import NOT_SERVED, Severity
from netcup_mailauth.judge import holding
from netcup_mailauth.judge import spf as spf_faults
from netcup_mailauth.plan import RunResult, Status
from netcup_mailauth.records import Kind, both_forms
from netcup_mailauth.render import text, words
from netcup_mailauth.render.page import Page
from netcup_mailauth.render.ways import ways_text
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from netcup_mailauth.cli.onward import Typed, TypedPlanFile, TypedUndo
    from netcup_mailauth.plan import ChangeSet, Failure, Plan, Result
    from netcup_mailauth.policy import Grounds
    from netcup_mailauth.render.ways import Way


class Reporter(session.Reporter):
    """Prints what happens as it happens; JSON and Markdown at the end, as one document."""

    def __init__(self, output_format: str, full: bool, many: Many | None = None) -> None:
        self._format = output_format
        self._full = full
        self._page = Page(width(), use_colour(), why=False)
        self._results: list[Result] = []
        self._plan_shown = False
        self._told: list[tuple[str, Failure | None]] = []
        self._page_begun = False
        # Only a command that has --full can name it.
        self._hinted = "full" not in settings().options
        self._many = many or Many()
        self.bar = Progress(0)
        self.grounds: Mapping[str, Grounds] = {}
        self.now: Typed | TypedUndo | TypedPlanFile | None = None

    def planned(self) -> None:
        """One more domain is planned."""
        self.bar.step()

    def note(self, sentence: str) -> None:
        """Something that could not be found out, and stops nothing."""
        warn(sentence)

    def show_plan(self, plan: Plan) -> None:
        """The whole plan, before the question: on stdout only if that is the result."""
        plan = self._many.shown(plan)
        shown = replace(plan, zones=tuple(map(_without_notes, plan.zones)))
        is_message = self._format != "text"
        page = replace(self._page, why=is_message)  # else messages below it tell
        output = text.plan_text(shown, page, self._full, hint=not self._hinted)
        show(output, err=is_message)
        self._plan_shown = True
        for change_set in plan.zones:
            if is_message:
                self._told.append((change_set.place.domain, change_set.error))
            self._complain(change_set, change_set.error)
            self._note_mistyped(change_set)

    def _complain(self, change_set: ChangeSet, failure: Failure | None) -> None:
        """Say why a domain failed, if it did: once, also if it could not even be planned."""
        told = (change_set.place.domain, failure)
        if failure is not None and told not in self._told:
            self._told.append(told)
            complain(change_set.place.domain, failure, self._format)

    def show(self, change_set: ChangeSet) -> None:
        """One domain's plan, just before it is written; also one that does not do what it seems."""
        unseen = any(finding.code in NOT_SERVED for finding in change_set.findings)
        refused = holding.stopping(change_set)  # why, also where nothing would change
        told = change_set.changes or refused or (unseen and not settings().quiet)
        if self._format == "text" and told:
            shown = _without_notes(change_set)
            apart = "\n" if self._page_begun else ""
            hint = not self._hinted
            self._show(apart + text.change_set_text(shown, self._page, self._full, hint=hint))
            self._hinted = self._hinted or text.first_key(shown) is not None
        if not self._plan_shown:
            self._note_mistyped(change_set)

    def _note_mistyped(self, change_set: ChangeSet) -> None:
        """The note on what was typed, while it can still be typed otherwise."""
        if isinstance(self.now, onward.Typed):
            note_mistyped(change_set, self.now.options["spf_drop"])

    def _show(self, output: str) -> None:
        """Print a part of the result, if that is text."""
        show(output)
        self._page_begun = True

    def show_anew(self, change_set: ChangeSet) -> None:
        """What a stale plan's records would change now: a message, whatever the format."""
        say("What the planned records would change in the zone as it is now:")
        shown = _without_notes(change_set)
        hint = not self._hinted
        show(
            text.change_set_text(shown, self._page, self._full, hint=hint).rstrip("\n") + "\n",
            err=True,
        )

    def done(self, result: Result) -> None:
        """One domain's result."""
        self._results.append(result)
        _note_result(result)
        dull = result.failure is None and not result.change_set.changes
        unseen = settings().quiet or self._plan_shown or self._many.changed
        if self._format == "text" and not (dull and unseen):
            self._show(text.result_text(result, self._page))
        self._complain(result.change_set, result.failure)
        if result.change_set.changes:
            note_needless(result.change_set)
        self.bar.step()

    @property
    def written(self) -> set[str]:
        """The domains that netcup has new records of."""
        done = (Status.APPLIED, Status.LOST, Status.ALREADY)
        return {r.change_set.place.domain for r in self._results if r.status in done}

    @property
    def _backends(self) -> list[str]:
        """The APIs of the domains that were written."""
        places = (r.change_set.place for r in self._results if r.status is Status.APPLIED)
        return [place.backend for place in places]

    def declined(self, plan: Plan) -> int:
        """The user said no."""
        failures = [change_set.error.exit_code for change_set in plan.zones if change_set.error]
        say("Not confirmed; nothing was written.")
        self._show_ways(plan.zones)
        return worst([*failures, ExitCode.USAGE])

    def finish(self) -> None:
        """What is left to print at the end of a run."""
        outcome = RunResult(tuple(self._results))
        if self._format != "text" and self._results:
            show(self._document(outcome))
        elif self._format == "text" and len(self._results) > 1 and not settings().quiet:
            show(text.run_text(outcome, self._page))
        if outcome.count(Status.APPLIED) and not settings().quiet:
            say(f"{propagation.following(self._backends)} To look:")
            say(f"  {onward.to_check(sorted(self.written), self.now)}")
        if self._format != "markdown":  # which has them at its end
            self._show_ways([result.change_set for result in self._results])

    def _show_ways(self, change_sets: Sequence[ChangeSet]) -> None:
        """How to go on with what was held back, below all that was shown."""
        if ways := self._ways(change_sets):
            show(ways_text(ways), err=self._format != "text")

    def _ways(self, change_sets: Sequence[ChangeSet]) -> list[Way]:
        return [] if self.now is None else self.now.ways(change_sets)

    def _document(self, outcome: RunResult) -> str:
        if self._format == "json":
            from netcup_mailauth import documents, planfile

            return documents.dumps(planfile.run_document(outcome, self.grounds))
        from netcup_mailauth.render import forge, markdown
        from netcup_mailauth.render.ways import ways_markdown

        output = markdown.run_markdown(outcome, self._full)
        ways = self._ways([result.change_set for result in outcome.results])
        return output + ways_markdown(ways, forge.MOST - len(output))


def agreed(plan: Plan, question: str) -> bool:
    """Ask before anything is written; with nothing to write there is nothing to ask.

    ``{zones}`` in the question stands for what would be written to.
    """
    ready = [
        c for c in plan.zones if (c.changes and not holding.stopping(c)) or holding.is_in_part(c)
    ]
    if not ready:
        return True
    zones = both_forms(ready[0].place.domain) if len(ready) == 1 else f"{len(ready)} domains"
    if len(plan.zones) == 1 and holding.is_in_part(ready[0]):
        kinds = words.kinds_of(ready[0].without_held)
        return confirmed(f"Write {kinds} to {zones}? {words.held_back(ready[0])}.")
    held = " What is held back is not written." if any(c.held for c in plan.zones) else ""
    return confirmed(question.format(zones=zones) + held)


def note_planned(change_sets: Iterable[ChangeSet]) -> None:
    """Note for a monitor what would become of each domain, where one is to be told."""
    if settings().metrics_file is not None:
        from netcup_mailauth.cli.metrics import record
        from netcup_mailauth.render import metrics

        record(map(metrics.of_planned, change_sets))


def _note_result(result: Result) -> None:
    if settings().metrics_file is not None:
        from netcup_mailauth.cli.metrics import record
        from netcup_mailauth.render import metrics

        record([metrics.of_result(result)])


def note_needless(change_set: ChangeSet) -> None:
    """Name what is allowed without need: a consent that stays around may hide the next fault."""
    if change_set.error is None and not settings().quiet:
        for code in holding.needless(change_set):
            say(
                f"note: {change_set.place.domain}: {code} is allowed, and there is no such finding."
            )


def note_mistyped(change_set: ChangeSet, dropped: Sequence[str]) -> None:
    """Name what ``--spf-drop`` was to take out, and is not there, where one much like it is.

    A term that went in an earlier run is not there either, and needs no word.
    """
    if settings().quiet or not dropped:
        return
    from difflib import get_close_matches

    texts = [change.before for change in change_set.changes if change.kind is Kind.SPF]
    texts += [kept.record for kept in change_set.unchanged if kept.kind is Kind.SPF]
    for record in spf_faults.parsed([one.destination for one in texts if one is not None]):
        for term in dropped:
            near = get_close_matches(term, [one.text for one in record.terms], n=1, cutoff=0.8)
            if near and spf.drop(record, term) is record:
                say(
                    f"note: {change_set.place.domain}: {visible(term)} is to be dropped, and is "
                    f"not in its SPF record; is {visible(near[0])} meant?"
                )


def _without_notes(change_set: ChangeSet) -> ChangeSet:
    """The change set as it is shown to somebody who is about to write it."""
    kept = (f for f in change_set.findings if f.severity is not Severity.NOTE)
    return onward.shown(replace(change_set, findings=tuple(kept)))
