use libtest_mimic::Trial;
pub fn trials(_: &std::path::Path) -> Vec<Trial> {
    Vec::new()
}
