//! Ranges in the names of hosts: `web[01:03].example`, `db[a:c]`, `n[1:9:2]`.
//!
//! Owns: writing them out, bounded. Must not know inventories.

/// The names `pattern` stands for, at most `limit` of them.
///
/// # Errors
/// What is wrong with the pattern.
pub(super) fn expand(pattern: &str, limit: usize) -> Result<Vec<String>, &'static str> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('[') {
        let (range, after) = after.split_once(']').ok_or("the range of a host is not closed")?;
        let parts = parts(range, limit)?;
        if names.len().saturating_mul(parts.len()) > limit {
            return Err("the ranges of a host stand for too many names");
        }
        names = names.iter().flat_map(|name| parts.iter().map(move |part| format!("{name}{before}{part}"))).collect();
        rest = after;
    }
    names.iter_mut().for_each(|name| name.push_str(rest));
    Ok(names)
}

fn parts(range: &str, limit: usize) -> Result<Vec<String>, &'static str> {
    const FORM: &str = "the range of a host is not [FIRST:LAST] or [FIRST:LAST:STEP]";
    let mut pieces = range.split(':');
    let (Some(first), Some(last), step, None) = (pieces.next(), pieces.next(), pieces.next(), pieces.next()) else {
        return Err(FORM);
    };
    let step: usize = step.map_or(Ok(1), str::parse).ok().filter(|step| *step > 0).ok_or(FORM)?;
    let letter = |text: &str| <[u8; 1]>::try_from(text.as_bytes()).ok().filter(|[b]| b.is_ascii_alphabetic());
    if let (Some([first]), Some([last])) = (letter(first), letter(last)) {
        return Ok((first..=last).step_by(step).map(|b| char::from(b).to_string()).collect());
    }
    // Ansible writes numbers as wide as the first one, if that begins with a zero.
    let width = if first.starts_with('0') { first.len() } else { 0 };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && text.len() <= 9;
    if !digits(first) || !digits(last) {
        return Err(FORM);
    }
    let first: usize = if first.is_empty() { 0 } else { first.parse().map_err(|_| FORM)? };
    let last: usize = last.parse().map_err(|_| FORM)?;
    if last < first {
        return Err("the range of a host ends before it begins");
    }
    if (last - first) / step >= limit {
        return Err("the ranges of a host stand for too many names");
    }
    Ok((first..=last).step_by(step).map(|number| format!("{number:0width$}")).collect())
}
