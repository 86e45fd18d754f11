//! What a model does not take: the interface `driver-rules`, where a driver exports it.

use wasmtime::Store;
use wasmtime::component::{ComponentType, Func, Instance, Lift};

use crate::cell::State;
use crate::driver_types::{Encoded, Target};
use crate::types::{Generation, HttpResponse, Problem};

/// The interface, without its version.
const INTERFACE: &str = "bench:plugin/driver-rules";

/// A request, and what it leaves out.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift)]
#[component(record)]
pub struct Adjusted {
    /// The request.
    pub encoded: Encoded,
    /// Wishes that the request does not carry, and names of other fields that were taken out.
    #[component(name = "left-out")]
    pub left_out: Vec<String>,
}

type AdjustIn<'a> = (&'a Generation, &'a Target, &'a [String]);
type AdjustOut = (Result<Adjusted, Problem>,);
type RefusedIn<'a> = (&'a HttpResponse,);
type RefusedOut = (Vec<String>,);

/// The functions of an instance that exports the interface.
pub(crate) struct Rules {
    adjust: Func,
    refused_fields: Func,
}

impl Rules {
    /// Of an instance that may export it.
    pub(crate) fn find(
        store: &mut Store<State>,
        instance: &Instance,
        version: &str,
    ) -> wasmtime::Result<Option<Rules>> {
        let interface = format!("{INTERFACE}@{version}");
        let Some(interface) = instance.get_export_index(&mut *store, None, &interface) else { return Ok(None) };
        let mut function = |name: &str| {
            let found = instance.get_export_index(&mut *store, Some(&interface), name);
            let found = found.and_then(|found| instance.get_func(&mut *store, found));
            found.ok_or_else(|| wasmtime::Error::msg(format!("the component does not export `driver-rules.{name}`")))
        };
        let (adjust, refused_fields) = (function("adjust")?, function("refused-fields")?);
        adjust.typed::<AdjustIn<'_>, AdjustOut>(&*store)?;
        refused_fields.typed::<RefusedIn<'_>, RefusedOut>(&*store)?;
        Ok(Some(Rules { adjust, refused_fields }))
    }

    /// The request for a generation without the fields in `omit`.
    pub(crate) fn adjust(
        &self,
        store: &mut Store<State>,
        generation: &Generation,
        target: &Target,
        omit: &[String],
    ) -> wasmtime::Result<Result<Adjusted, Problem>> {
        let adjust = self.adjust.typed::<AdjustIn<'_>, AdjustOut>(&*store)?;
        adjust.call(store, (generation, target, omit)).map(|(adjusted,)| adjusted)
    }

    /// The fields that a refusal names.
    pub(crate) fn refused_fields(
        &self,
        store: &mut Store<State>,
        response: &HttpResponse,
    ) -> wasmtime::Result<Vec<String>> {
        let refused_fields = self.refused_fields.typed::<RefusedIn<'_>, RefusedOut>(&*store)?;
        refused_fields.call(store, (response,)).map(|(fields,)| fields)
    }
}
