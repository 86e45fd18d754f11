//! `bench registry publish`.

use bench_plugin::{Host, HostOptions};
use bench_repository::{Published, Wish, carried, from_path, program_file};

use super::registry::{keys, opened};
use crate::distribution::PublishArgs;
use crate::downloads::version;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{folders, output, results};

/// Checks items and publishes them.
pub fn publish(args: &PublishArgs) -> Outcome {
    let wish = wish(args)?;
    let host = Host::new(HostOptions { cache: Some(folders::folders().cache.join("compiled")) });
    let mut repository = opened(&args.folder)?;
    let items = if args.carried {
        carried(&host, &repository.entries(), &wish)?
    } else if let Some(platform) = &args.platform {
        let number = args.version.clone().unwrap_or_else(|| version().to_string());
        args.items.iter().map(|file| program_file(platform, &number, file, &wish)).collect::<Result<_, _>>()?
    } else {
        args.items.iter().map(|path| from_path(&host, path, &wish)).collect::<Result<_, _>>()?
    };
    let published = repository.publish_compared(&host, items, &keys(&args.keys)?, bench_install::now())?;
    if args.tidy {
        repository.tidy()?;
    }
    let mut table = results::table(&["path", ""]);
    for (path, what) in &published {
        let word = match what {
            Published::Added => "published",
            Published::Replaced => "replaced",
            Published::Unchanged => "unchanged",
        };
        table.add_row([path.to_string(), word.to_owned()]);
    }
    output::data(&table.to_string());
    Ok(Exit::Success)
}

fn wish(args: &PublishArgs) -> Result<Wish, Failure> {
    Ok(Wish {
        publisher: args.publisher.clone(),
        host: Wish::hosts(&args.host)?,
        memory: args.memory.map(|mebibytes| mebibytes.saturating_mul(1 << 20)),
        licence: args.licence.clone(),
        data: args.data.clone(),
        channel: args.channel.into(),
        replace: args.replace,
    })
}
