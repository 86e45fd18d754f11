//! A plugin: a compiled component with a contract.

use std::fmt;
use std::sync::Arc;

use wasmtime::component::InstancePre;

use crate::cell::State;
use crate::contract::{Contract, Kind};
use crate::driver::Driver;
use crate::engine::Profile;
use crate::error::LoadError;
use crate::limits::Limits;
use crate::scorer::Scorer;
use crate::ticker::Ticker;
use crate::workload::Workload;

/// Who a plugin says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// In kebab case.
    pub name: String,
    /// Its version.
    pub version: String,
    /// A few words, for lists.
    pub title: String,
}

/// A compiled component whose contract is known. Handles are made from it.
pub struct Plugin {
    pub(crate) pre: InstancePre<State>,
    pub(crate) contract: Contract,
    pub(crate) digest: String,
    pub(crate) size: usize,
    pub(crate) limits: Limits,
    pub(crate) profile: Profile,
    pub(crate) ticker: Arc<Ticker>,
}

impl Plugin {
    /// What the component promises.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// SHA-256 of the component, in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Size of the component in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// A handle on a driver; asks it to describe itself.
    pub fn driver(&self) -> Result<Driver, LoadError> {
        self.expect(Kind::Driver)?;
        Driver::new(self)
    }

    /// A handle on a workload; asks it to describe itself.
    pub fn workload(&self) -> Result<Workload, LoadError> {
        self.expect(Kind::Workload)?;
        Workload::new(self)
    }

    /// A handle on a scorer; asks it to describe itself.
    pub fn scorer(&self) -> Result<Scorer, LoadError> {
        self.scorer_within(self.limits)
    }

    /// Like [`Plugin::scorer`], under other limits than those that the plugin was loaded with: what a scorer needs to add up
    /// the verdicts on a whole task has nothing to do with what it needs for one sample.
    pub fn scorer_within(&self, limits: Limits) -> Result<Scorer, LoadError> {
        self.expect(Kind::Scorer)?;
        Scorer::new(self, limits)
    }

    /// Who the plugin says it is, whatever its kind.
    ///
    /// # Errors
    /// As for the handles. A publisher cannot be asked yet: [`LoadError::WrongKind`].
    pub fn about(&self) -> Result<About, LoadError> {
        let about = |name: &String, version: &String, title: &String| About {
            name: name.clone(),
            version: version.clone(),
            title: title.clone(),
        };
        match self.contract().kind {
            Kind::Driver => self.driver().map(|it| about(&it.info().name, &it.info().version, &it.info().title)),
            Kind::Scorer => self.scorer().map(|it| about(&it.info().name, &it.info().version, &it.info().summary)),
            Kind::Workload | Kind::Publisher => {
                self.workload().map(|it| about(&it.info().name, &it.info().version, &it.info().title))
            }
        }
    }

    /// What instances of the plugin may use.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The same plugin under other limits.
    pub fn under(self, limits: Limits) -> Plugin {
        Plugin { limits, ..self }
    }

    fn expect(&self, wanted: Kind) -> Result<(), LoadError> {
        let found = self.contract.kind;
        if found == wanted { Ok(()) } else { Err(LoadError::WrongKind { wanted, found }) }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("contract", &self.contract)
            .field("digest", &self.digest)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
