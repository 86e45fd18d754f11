//! Holds nothing: the package is its tests. Those of the real binary stand in `e2e/` and are a target of package `bench`.
