//! Names like a name: what to offer when one is not known.
//!
//! Owns: the measure (edit distance with transpositions, without regard to case). Must not know what is named.

/// The longest name looked at, in bytes.
const LONGEST: usize = 128;

/// At most `most` of `names` that are like `name`, nearest first.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let wanted = name.to_lowercase();
    if wanted.is_empty() || wanted.len() > LONGEST {
        return Vec::new();
    }
    let allowed = (wanted.chars().count() / 3).max(1) + 1;
    let mut found = names
        .filter(|known| known.len() <= LONGEST)
        .filter_map(|known| {
            let lower = known.to_lowercase();
            if lower.len().abs_diff(wanted.len()) > allowed && !lower.contains(&wanted) {
                return None;
            }
            let distance = if lower.contains(&wanted) { 1 } else { distance(&wanted, &lower) };
            (distance <= allowed).then_some((distance, known))
        })
        .collect::<Vec<_>>();
    found.sort();
    found.dedup();
    found.into_iter().take(most).map(|(_, known)| known).collect()
}

/// How many insertions, deletions, replacements and swaps of neighbours make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.chars().collect::<Vec<_>>(), b.chars().collect::<Vec<_>>());
    let width = b.len() + 1;
    let mut rows = vec![0; (a.len() + 1) * width];
    for (at, cell) in rows.iter_mut().enumerate() {
        *cell = if at < width { at } else { at / width };
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[(i - 1) * width + j] + 1).min(rows[i * width + j - 1] + 1);
            best = best.min(rows[(i - 1) * width + j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[(i - 2) * width + j - 2] + 1);
            }
            rows[i * width + j] = best;
        }
    }
    rows.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_find_their_name() {
        let names = ["LC_Process", "LC_OperatingSystem", "CIM_Process", "LC_ComputerSystem"];
        assert_eq!(nearest("lc_proces", names.into_iter(), 3).first(), Some(&"LC_Process"));
        assert_eq!(nearest("LC_Porcess", names.into_iter(), 1), ["LC_Process"]);
        assert_eq!(nearest("zzzz", names.into_iter(), 3), Vec::<&str>::new());
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
