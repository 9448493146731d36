use super::*;

fn hash(value: u32) -> u64 {
    u64::from(value)
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(29)
}

#[test]
fn pages_hold_every_row_in_order() {
    for len in [0, 1, 255, 256, 257, 32_768, 32_769, 100_000_u32] {
        let rows: Paged<u32> = (0..len).collect();
        assert_eq!(rows.len(), usize::try_from(len).unwrap());
        assert!((0..len).all(|ix| rows.get(ix) == Some(&ix)));
        assert_eq!(rows.get(len), None);
        assert!(rows.iter().copied().eq(0..len));
    }
}

#[test]
fn a_change_copies_one_page_and_the_older_clone_keeps_its_rows() {
    let old: Paged<u32> = (0..100_000).collect();
    let mut new = old.clone();
    assert!(new.set(70_000, 7));
    assert_eq!(
        (old.get(70_000), new.get(70_000)),
        (Some(&70_000), Some(&7))
    );
    let pages = |rows: &Paged<u32>| -> Vec<*const u32> {
        rows.chunks
            .iter()
            .flat_map(|c| c.iter().map(|p| p.as_ptr()))
            .collect()
    };
    let copied = pages(&old)
        .iter()
        .zip(pages(&new))
        .filter(|(a, b)| **a != *b)
        .count();
    assert_eq!(copied, 1);
    assert!(!new.set(100_000, 7));
}

#[test]
fn an_index_finds_what_it_holds_and_nothing_else() {
    for len in [0, 1, 100, 5_000, 200_000_u32] {
        let entries: Vec<(u64, u32)> = (0..len).map(|v| (hash(v), v)).collect();
        let index = Index::build(&entries);
        assert!((0..len).all(|v| index.find(hash(v), |found| found == v) == Some(v)));
        assert!((len..len + 1_000).all(|v| index.find(hash(v), |found| found == v).is_none()));
    }
}

#[test]
fn entries_of_one_hash_are_all_found() {
    let entries: Vec<(u64, u32)> = (0..600).map(|v| (42, v)).collect();
    let mut index = Index::build(&entries);
    assert!((0..600).all(|v| index.find(42, |found| found == v) == Some(v)));
    index.insert(42, 600);
    assert_eq!(index.find(42, |found| found == 600), Some(600));
}

#[test]
fn inserting_and_removing_equals_building() {
    let mut index = Index::build(&(0..500).map(|v| (hash(v), v)).collect::<Vec<_>>());
    let before = index.clone();
    for v in 500..6_000 {
        index.insert(hash(v), v);
    }
    for v in (0..6_000).step_by(3) {
        assert!(index.remove(hash(v), v));
        assert!(!index.remove(hash(v), v));
    }
    for v in 0..6_000 {
        let expected = (v % 3 != 0).then_some(v);
        assert_eq!(index.find(hash(v), |found| found == v), expected);
    }
    assert_eq!(index.len(), 6_000 - 2_000);
    assert!((0..500).all(|v| before.find(hash(v), |found| found == v) == Some(v)));
    assert_eq!(before.len(), 500);
}
