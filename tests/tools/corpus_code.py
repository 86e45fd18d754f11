"""Templates of the source text and of the test output that the agent workload's tool results are filled with."""

NOUNS = """invoice ledger_entry payment_batch customer_account tax_table discount_rule exchange_rate delivery_note
credit_limit price_list order_line stock_level refund_request statement_period journal_page opening_balance
cost_centre supplier_bill due_date reminder_letter bank_transfer cash_drawer voucher_code shipping_zone
return_parcel currency_pair rounding_step settlement_run audit_trail archive_folder import_job export_filter
fiscal_year posting_key contract_term usage_meter subscription_plan commission_share deposit_slip warehouse_bin""".split()

VERBS = """collect merge validate settle archive reopen assign balance normalise reserve release reconcile approve
reject schedule resolve summarise split export prepare""".split()

FIELDS = """amount currency quantity reference created_on closed_on owner status priority weight region batch_number
rate remainder label position total net gross version""".split()

FAULTS = """is missing|is negative|has too many digits|belongs to another period|was already settled|has no owner
|refers to a closed account|is not a decimal|differs from its parts|comes before the opening date
|uses an unknown currency|exceeds its limit""".replace("\n", "").split("|")

CODE_PIECES = [
    '''
class <A>:
    """One <a> of the ledger. It is never changed after it was posted; a correction is a new one."""

    def __init__(self, <fa>, <fb>, parent=None):
        if <fa> is None:
            raise ValueError("<fa> of <a> {fault}")
        self.<fa> = <fa>
        self.<fb> = <fb>
        self.parent = parent
        self._<b>s = []

    def add_<b>(self, <b>):
        """Appends a <b> and keeps the list in the order of its {field}."""
        self._<b>s.append(<b>)
        self._<b>s.sort(key=lambda item: item.{field})

    def {verb}(self):
        remaining = self.<fa>
        for <b> in self._<b>s:
            remaining -= <b>.<fc>
        return remaining
''',
    '''
def {verb}_<a>(<a>, rules, today):
    """Applies the first rule that fits, or returns the <a> as it is.

    Rules are tried in the order in which they were written down, because the office reads them
    from top to bottom as well. A rule without a {field} fits everything.
    """
    for rule in rules:
        if rule.<fa> is not None and rule.<fa> != <a>.<fa>:
            continue
        if rule.starts_on > today:
            continue
        return rule.apply(<a>)
    return <a>
''',
    '''
def test_{verb}_<a>():
    <a> = make_<a>(<fa>=Decimal("{cents}"), <fb>="{noun}")
    result = {verb}(<a>, steps={digit})
    assert result.<fa> == Decimal("{cents}")
    assert [<b>.<fc> for <b> in result.<b>s] == [{digit}, {small}, {small}]
''',
    '''
def load_<a>s(rows):
    """Reads <a> records from the rows of a table. A row that {fault} is kept aside, not dropped."""
    good, bad = [], []
    for number, row in enumerate(rows, start=1):
        try:
            good.append(<A>(row["<fa>"], row["<fb>"]))
        except (KeyError, ValueError) as error:
            bad.append((number, str(error)))
    if bad and not good:
        raise ImportError(f"none of «len(bad)» rows is a <a>")
    return good, bad
''',
    '''
DEFAULT_OF_<a> = «
    "<fa>": "{noun}",
    "<fb>": {small},
    "<fc>": Decimal("{cents}"),
    "{field}_limit": {digit}{small},
    "{verb}_on_close": True,
»
''',
    '''
def total_by_<fa>(<a>s):
    """Sums the <fb> of each <fa>. Sums are exact: nothing is rounded before the end."""
    totals = «»
    for <a> in <a>s:
        key = <a>.<fa>
        totals[key] = totals.get(key, Decimal(0)) + <a>.<fb>
    return dict(sorted(totals.items()))
''',
    '''
class <A>Repository:
    """Keeps <a>s by their reference, in memory. The file store has the same four methods."""

    def __init__(self, clock):
        self._clock = clock
        self._by_reference = «»

    def get(self, reference):
        found = self._by_reference.get(reference)
        if found is None:
            raise LookupError(f"no <a> with reference «reference»")
        return found

    def put(self, <a>):
        <a>.version += 1
        <a>.changed_on = self._clock.today()
        self._by_reference[<a>.reference] = <a>

    def find(self, <fa>, limit={small}):
        matches = (item for item in self._by_reference.values() if item.<fa> == <fa>)
        return sorted(matches, key=lambda item: item.<fb>)[:limit]
''',
    '''
def split_<fa>(<fa>, parts):
    """Splits an amount so that the parts add up to it again.

    The cents that are left over go to the first parts, one each: a customer who compares two
    {noun}s should never find a difference of more than a cent between equals.
    """
    if parts < 1:
        raise ValueError("an amount has at least one part")
    cents = int(<fa> * 100)
    each, left = divmod(cents, parts)
    return [Decimal(each + (1 if index < left else 0)) / 100 for index in range(parts)]
''',
    '''
@pytest.mark.parametrize(
    ("<fa>", "<fb>", "expected"),
    [
        ("{cents}", {digit}, "{cents}"),
        ("{cents}", {small}, "{cents}"),
        ("-{cents}", {digit}, "-{cents}"),
        ("0.00", {small}, "0.00"),
    ],
)
def test_<a>_keeps_its_<fc>(<fa>, <fb>, expected):
    <a> = <A>(Decimal(<fa>), <fb>)
    assert {verb}_<b>(<a>).<fc> == Decimal(expected)
''',
    '''
def export_<a>(<a>, out):
    """Writes one <a> as text, a field per line, in an order that does not depend on the runtime."""
    out.write(f"<a> «<a>.reference»\\n")
    for name in sorted(<a>.fields()):
        value = getattr(<a>, name)
        if value is None:
            continue
        out.write(f"  «name» = «value»\\n")
    for <b> in <a>.<b>s:
        out.write(f"  - «<b>.<fa>» x «<b>.<fb>»\\n")
''',
    '''
# The {noun} may arrive before the <a> that it belongs to, because the bank sends both through
# different queues. Until the {field} is known it waits in the <b> table, at most {small} days.
def match_<a>_later(waiting, <a>s, days={small}):
    index = «item.reference: item for item in <a>s»
    matched, still_waiting = [], []
    for entry in waiting:
        partner = index.get(entry.reference)
        if partner is not None:
            matched.append((entry, partner))
        elif entry.age_in_days() > days:
            raise TimeoutError(f"«entry.reference» {fault}")
        else:
            still_waiting.append(entry)
    return matched, still_waiting
''',
    '''
def check_<a>(<a>):
    """Yields every complaint about the <a>, the gravest first."""
    if <a>.<fa> is None:
        yield "<fa> {fault}"
    if <a>.<fb> < 0:
        yield "<fb> {fault}"
    parts = sum((<b>.<fc> for <b> in <a>.<b>s), Decimal(0))
    if parts != <a>.total:
        yield f"total «<a>.total» differs from the sum of its parts «parts»"
''',
]

LOG_PIECES = [
    "tests/test_<a>.py::test_{verb}_{field} PASSED [{small}%]",
    "tests/test_<b>.py::test_{verb}_keeps_{field} PASSED [{small}%]",
    "tests/test_<a>.py::test_<fa>_of_<b> PASSED [{small}%]",
    "tests/test_<a>.py::test_{verb}_<b>_{small} FAILED [{small}%]",
    "tests/test_<c>.py::test_<fa>_{small} SKIPPED (needs the {noun} service) [{small}%]",
    '''
________________________ test_{verb}_<a>_{small} ________________________

    def test_{verb}_<a>():
        <a> = make_<a>(<fa>=Decimal("{cents}"))
        result = {verb}(<a>)
>       assert result.<fb> == Decimal("{cents}")
E       AssertionError: assert Decimal('{cents}') == Decimal('{cents}')
E        +  where Decimal('{cents}') = <A>(<fa>=Decimal('{cents}'), <fb>={small}).<fb>

tests/test_<a>.py:{line}: AssertionError
''',
    '''
Traceback (most recent call last):
  File "ledger/<a>.py", line {line}, in {verb}_<a>
    return rule.apply(<a>)
  File "ledger/<b>.py", line {line}, in apply
    <fa> = self.<fa> * <a>.<fb>
TypeError: unsupported operand type(s) for *: 'float' and 'Decimal'
''',
    '''
------------------------------ captured log ------------------------------
DEBUG    ledger.<a>:<a>.py:{line} {verb} started with {small} <b>s
INFO     ledger.<a>:<a>.py:{line} <fa> {cents} carried over to the next {noun}
WARNING  ledger.<b>:<b>.py:{line} <fb> {fault}; kept aside as number {small}
''',
    '''
=========================== slowest durations ===========================
{digit}.{small}s call     tests/test_<a>.py::test_{verb}_{field}
{digit}.{small}s setup    tests/test_<b>.py::test_{verb}_keeps_{field}
0.{small}s call     tests/test_<c>.py::test_<fa>_of_<b>
''',
    "ledger/<a>.py:{line}: UserWarning: {verb} without a {field} is deprecated, pass one",
    '''
>       raise ValueError("<fa> of <a> {fault}")
E       ValueError: <fa> of <a> {fault}

ledger/<a>.py:{line}: ValueError
''',
]
