//! Components from JavaScript, by `componentize-js` under Node.js, which the plugin's own `build.mjs` calls.

use std::path::Path;
use std::process::Command;

use crate::error::{ForgeError, at};
use crate::rust::run;

/// Builds the plugin in `folder`.
pub(crate) fn build(folder: &Path) -> Result<Vec<u8>, ForgeError> {
    let folder = folder.canonicalize().map_err(at(folder))?;
    if Command::new("node").arg("--version").output().is_err() {
        let install = "install Node.js 20 or later".to_owned();
        return Err(ForgeError::NoTool { tool: "node", install });
    }
    if !folder.join("node_modules/@bytecodealliance/componentize-js").is_dir() {
        let install = "run `npm install` in the plugin's folder".to_owned();
        return Err(ForgeError::NoTool { tool: "componentize-js", install });
    }
    let mut command = Command::new("node");
    command.current_dir(&folder).arg("build.mjs");
    run(command, "node build.mjs")?;
    let out = folder.join("plugin.wasm");
    std::fs::read(&out).map_err(at(&out))
}
