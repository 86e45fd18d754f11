//! Whose rules apply.

/// Whose rules apply.
///
/// `Reference` grades as `bfcl-eval` 2026.3.23 does, its defects included. `Fixed` repairs these:
///
/// 1. A call that cannot be parsed is counted as an abstention (gorilla#1362), and so is an answer without anything in it.
/// 2. Relevance accepts a call of a function that was never offered.
/// 3. Arguments by position are dropped in silence.
/// 4. Of two arguments of one name the last one counts.
/// 5. `+5` is read as `-5`, and `~5` and `not True` are read as negated too.
/// 6. A parameter whose name is a keyword of Python cannot be given.
/// 7. The types of a list's items are not checked where the list may be left out, so `[True]` passes for `[1]`; and within
///    dictionaries `True` passes for `1` anyway.
/// 8. `5` is no item of a list of floats, though it is a float elsewhere.
/// 9. An empty list, or a list of empty dictionaries, passes for "may be left out".
/// 10. Texts are compared loosely in lists and dictionaries, and exactly in lists within these; a tuple within a list never
///     equals anything.
/// 11. Dictionaries within dictionaries, whose values are lists of accepted values too, never match or stop the run.
/// 12. Parallel calls are matched greedily, so that a set of right calls can be refused.
/// 13. Loose comparison of texts makes `1.5` equal to `15` and `-3` equal to `3`.
/// 14. Some answers stop the run with an exception.
/// 15. `number`, `object`, `list`, `bool` and `null` are no types.
/// 16. Calls of Java lose the bodies of anonymous classes, so that a map with entries cannot be given, and are cut wrongly
///     after a character that is not ASCII.
/// 17. Calls of Java of ten bytes or fewer are refused.
/// 18. Items of the format-sensitivity set that want several calls, or one of several functions, are graded as if they wanted
///     one call of the first function, so that hardly any answer is right.
/// 19. Of several calls in Java or JavaScript the first one counts, and arguments without a name are dropped there too.
///
/// Two things that the reference does are in neither: it evaluates arithmetic with all of Python, so that an answer can run code
/// there, and its parser of Java and JavaScript repairs some sources that are broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// As the reference.
    Reference,
    /// As the reference means it.
    Fixed,
}

/// Why a check came to no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The task's own data is not of the shape that it must have.
    Task(String),
    /// The reference raises an exception because of what the model answered, which ends its whole run.
    Answer(String),
}
