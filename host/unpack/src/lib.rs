//! Archives and Parquet files from outside, checked before anything of them is unpacked.
//!
//! Both formats let a few bytes stand for any number of bytes, and the libraries that read them reserve what a file claims. So the
//! claims are held against the file and against limits first.

pub mod archive;
pub mod parquet;
mod thrift;
