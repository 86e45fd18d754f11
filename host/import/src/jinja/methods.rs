//! Methods of Python's texts, lists and dictionaries.

use super::calls::{Given, joined};
use super::room::Room;
use super::texts;
use super::value::{List, Map, Val};

/// `value.name(arguments)`.
pub(super) fn method(value: &Val, name: &str, mut given: Given, room: &Room) -> Result<Val, String> {
    let made = match value {
        Val::Undefined(_) => return value.clone().defined(),
        Val::Text(text) => of_text(text, name, &mut given, room)?,
        Val::List(list) => of_list(list, name, &mut given, room)?,
        Val::Map(map) => of_map(map, name, &mut given, room)?,
        _ => None,
    };
    let made = made.ok_or_else(|| format!("a {} has no method `{name}` here", value.kind()))?;
    given.end()?;
    Ok(made)
}

fn of_text(text: &str, name: &str, given: &mut Given, room: &Room) -> Result<Option<Val>, String> {
    Ok(Some(match name {
        "strip" | "lstrip" | "rstrip" => {
            let letters = given.take_text(0, "chars")?;
            Val::text(texts::stripped(text, letters.as_deref(), name != "rstrip", name != "lstrip"), room)?
        }
        "upper" => Val::text(&text.to_uppercase(), room)?,
        "lower" => Val::text(&text.to_lowercase(), room)?,
        "capitalize" => Val::text(&texts::capitalised(text), room)?,
        "replace" => {
            let (old, new) = (given.need_text(0, "old")?, given.need_text(1, "new")?);
            texts::replaced(text, &old, &new, given.take_int(2, "count")?, room)?
        }
        "split" => {
            let separator = given.take_text(0, "sep")?;
            texts::split(text, separator.as_deref(), given.take_int(1, "maxsplit")?, room)?
        }
        "startswith" => Val::Bool(text.starts_with(&*given.need_text(0, "prefix")?)),
        "endswith" => Val::Bool(text.ends_with(&*given.need_text(0, "suffix")?)),
        "join" => {
            let parts = given.need(0, "iterable")?.elements(room)?;
            if let Some(other) = parts.iter().find(|part| part.as_text().is_none()) {
                return Err(format!("`join` of a {}", other.kind()));
            }
            joined(&parts, text, room)?
        }
        "count" => {
            room.look(text.len())?;
            Val::Int(text.matches(&*given.need_text(0, "sub")?).count() as i128)
        }
        "find" | "index" => {
            let part = given.need_text(0, "sub")?;
            room.look(text.len())?;
            let place = text.find(&*part).and_then(|at| text.get(..at)).map(|before| before.chars().count());
            match place {
                Some(place) => Val::Int(place as i128),
                None if name == "find" => Val::Int(-1),
                None => return Err("`index` of a text that does not occur".to_owned()),
            }
        }
        "isdigit" => Val::Bool(!text.is_empty() && text.chars().all(char::is_numeric)),
        _ => return Ok(None),
    }))
}

fn of_list(list: &List, name: &str, given: &mut Given, room: &Room) -> Result<Option<Val>, String> {
    if !["index", "count"].contains(&name) {
        return Ok(None);
    }
    let wanted = given.need(0, "value")?;
    let mut count = 0;
    for (index, value) in list.values.iter().enumerate() {
        if value.equals(&wanted, room)? {
            if name == "index" {
                return Ok(Some(Val::Int(index as i128)));
            }
            count += 1;
        }
    }
    match name {
        "count" => Ok(Some(Val::Int(count))),
        _ => Err("`index` of a value that is not in the list".to_owned()),
    }
}

fn of_map(map: &Map, name: &str, given: &mut Given, room: &Room) -> Result<Option<Val>, String> {
    let keys = || map.pairs.iter().map(|(key, _)| key.clone());
    let spend = || room.spend(4 * size_of::<Val>() as u64 * map.pairs.len() as u64);
    Ok(Some(match name {
        "get" => {
            let key = given.need(0, "key")?;
            let usual = given.take(1, "default").unwrap_or(Val::None);
            map.get(&key, room)?.cloned().unwrap_or(usual)
        }
        "keys" => {
            spend()?;
            Val::list(keys().collect(), room)?
        }
        "values" => {
            spend()?;
            Val::list(map.pairs.iter().map(|(_, value)| value.clone()).collect(), room)?
        }
        "items" => {
            spend()?;
            let pairs = map.pairs.iter().map(|(key, value)| Val::list(vec![key.clone(), value.clone()], room));
            Val::list(pairs.collect::<Result<_, _>>()?, room)?
        }
        _ => return Ok(None),
    }))
}
