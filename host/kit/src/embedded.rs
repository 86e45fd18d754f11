//! What new plugins are given, put into the program when it is built.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
