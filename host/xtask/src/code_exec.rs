//! Builds `code-exec`, the scorer that is written in Python: two instances of one CPython, of which one grades and the other
//! runs what a model wrote, joined into one component.
//!
//! `componentize-py` yields other bytes each time: a snapshot of its interpreter holds time stamps and random keys. So the
//! component is built again only when what it is made from has changed, and what is compared is the digest of that.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{ManglingAndAbi, Resolve};

use crate::{Error, at};

/// Folder of the sources, relative to the workspace.
const FOLDER: &str = "plugins/scorers/code-exec";
/// Name of the scorer.
pub const NAME: &str = "code-exec";
/// Its version, which `code_exec/about.py` states as well.
pub const VERSION: &str = "0.1.0";
const WORLD: &str = "bench:code-exec/cpython";
const BOX: &str = "bench:code-exec/box@0.1.0";
const SCORER: &str = "bench:plugin/scorer@0.1.0";

/// What the component is made from: path in the staged folder, and content.
pub struct Sources(Vec<(PathBuf, Vec<u8>)>);

impl Sources {
    /// Reads the Python modules and the interfaces.
    pub fn read(root: &Path) -> Result<Sources, Error> {
        let folder = root.join(FOLDER);
        let mut files = Vec::new();
        let mut take = |from: &Path, to: &Path, kind: &str| -> Result<(), Error> {
            for entry in fs::read_dir(from).map_err(at(from))? {
                let path = entry.map_err(at(from))?.path();
                if path.extension().is_some_and(|extension| extension == kind)
                    && let Some(name) = path.file_name()
                {
                    files.push((to.join(name), fs::read(&path).map_err(at(&path))?));
                }
            }
            Ok(())
        };
        take(&folder, Path::new(""), "py")?;
        take(&folder.join("code_exec"), Path::new("code_exec"), "py")?;
        take(&folder.join("wit"), Path::new("wit"), "wit")?;
        take(&root.join("wit"), Path::new("wit/deps/bench-plugin"), "wit")?;
        files.sort();
        Ok(Sources(files))
    }

    /// SHA-256 over the paths and contents and the release of the tool, in hex.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(bench_forge::COMPONENTIZE_PY);
        for (path, bytes) in &self.0 {
            hash.update(format!("\n{} {}\n", path.display(), bytes.len()));
            hash.update(bytes);
        }
        crate::bundle::hex(&hash.finalize())
    }

    /// Builds the component in a folder below `target`; `None` where `componentize-py` is not installed.
    pub fn build(&self, target: &Path) -> Result<Option<Vec<u8>>, Error> {
        let stage = target.join(NAME);
        if bench_forge::find_componentize_py(&stage).is_none() {
            return Ok(None);
        }
        if stage.exists() {
            fs::remove_dir_all(&stage).map_err(at(&stage))?;
        }
        for (path, bytes) in &self.0 {
            let path = stage.join(path);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(at(folder))?;
            }
            fs::write(&path, bytes).map_err(at(&path))?;
        }
        let stage = stage.canonicalize().map_err(at(&stage))?;
        let made = stage.join("cpython.wasm");
        bench_forge::componentize_python(&stage, &stage.join("wit"), WORLD, &made)?;
        let python = fs::read(&made).map_err(at(&made))?;
        let world = fs::read_to_string(stage.join("wit/world.wit")).map_err(at(&stage))?;
        join(&python, &world).map(Some).map_err(Error::CodeExec)
    }
}

/// One component with two instances of `python`: the first runs programs, and its own box is closed; the second imports the
/// first one's box and is the scorer.
fn join(python: &[u8], world: &str) -> Result<Vec<u8>, String> {
    let mut graph = CompositionGraph::new();
    let register = |graph: &mut CompositionGraph, name: &str, bytes: Vec<u8>| {
        let package = Package::from_bytes(name, None, bytes, graph.types_mut()).map_err(said)?;
        graph.register_package(package).map_err(said)
    };
    let python = register(&mut graph, "bench:cpython", python.to_vec())?;
    let closed = register(&mut graph, "bench:closed", closed_box(world)?)?;
    let closed = graph.instantiate(closed);
    let closed = graph.alias_instance_export(closed, BOX).map_err(said)?;
    let runner = graph.instantiate(python);
    graph.set_instantiation_argument(runner, BOX, closed).map_err(said)?;
    let open = graph.alias_instance_export(runner, BOX).map_err(said)?;
    let grader = graph.instantiate(python);
    graph.set_instantiation_argument(grader, BOX, open).map_err(said)?;
    let scorer = graph.alias_instance_export(grader, SCORER).map_err(said)?;
    graph.export(scorer, SCORER).map_err(said)?;
    graph.encode(EncodeOptions::default()).map_err(said)
}

fn said(error: impl std::fmt::Display) -> String {
    format!("{error:#}")
}

/// A component that exports the box and traps when it is called.
fn closed_box(world: &str) -> Result<Vec<u8>, String> {
    // The world of the interpreter names interfaces of other packages; all that is wanted here is the box.
    let (interface, _) = world.split_once("/// A CPython").ok_or("wit/world.wit has no world `cpython`")?;
    let mut resolve = Resolve::default();
    let package =
        resolve.push_str("closed.wit", &format!("{interface}\nworld closed {{ export box; }}")).map_err(said)?;
    let world = resolve.select_world(&[package], Some("closed")).map_err(said)?;
    let mut module = wit_component::dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).map_err(said)?;
    ComponentEncoder::default().validate(true).module(&module).and_then(|encoder| encoder.encode()).map_err(said)
}
