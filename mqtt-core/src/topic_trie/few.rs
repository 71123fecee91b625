//! A map that mostly has one entry.

use alloc::boxed::Box;
use alloc::collections::btree_map::{self, BTreeMap};
use core::{borrow::Borrow, mem};

/// An ordered map. Its first entry stands in the place of the map itself, so that one alone costs nothing more: most nodes of
/// a trie have one child, or one subscription.
#[derive(Clone, Debug)]
pub(super) enum Few<K, V> {
    One(K, V),
    /// None or several. Two variants and not three, which would need a place to tell them apart.
    #[expect(
        clippy::box_collection,
        reason = "in its place it would make every map larger than an entry"
    )]
    Others(Option<Box<BTreeMap<K, V>>>),
}

impl<K, V> Few<K, V> {
    pub(super) const fn new() -> Self {
        Self::Others(None)
    }

    pub(super) const fn is_empty(&self) -> bool {
        matches!(self, Self::Others(None))
    }

    pub(super) fn iter(&self) -> Iter<'_, K, V> {
        match self {
            Self::One(key, value) => Iter::One(Some((key, value))),
            Self::Others(None) => Iter::One(None),
            Self::Others(Some(map)) => Iter::Many(map.iter()),
        }
    }
}

impl<K: Ord, V> Few<K, V> {
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::One(only, value) => ((*only).borrow() == key).then_some(value),
            Self::Others(map) => map.as_ref()?.get(key),
        }
    }

    pub(super) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::One(only, value) => ((*only).borrow() == key).then_some(value),
            Self::Others(map) => map.as_mut()?.get_mut(key),
        }
    }

    /// Adds an entry and returns the value that it replaces.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self {
            Self::One(only, old) if *only == key => return Some(mem::replace(old, value)),
            Self::Others(Some(map)) => return map.insert(key, value),
            Self::One(..) | Self::Others(None) => {}
        }
        *self = match mem::replace(self, Self::new()) {
            Self::One(first, of_first) => {
                let both = [(first, of_first), (key, value)];
                Self::Others(Some(Box::new(both.into())))
            }
            Self::Others(_) => Self::One(key, value),
        };
        None
    }

    /// Takes an entry out and returns its value.
    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        if let Self::Others(map) = self {
            let removed = map.as_mut()?.remove(key);
            // Not before the last one: a map that has two entries now and then would be made anew each time.
            map.take_if(|map| map.is_empty());
            return removed;
        }
        match mem::replace(self, Self::new()) {
            Self::One(only, value) if only.borrow() == key => Some(value),
            other => {
                *self = other;
                None
            }
        }
    }
}

/// The entries in their order.
#[derive(Debug)]
pub(super) enum Iter<'a, K, V> {
    One(Option<(&'a K, &'a V)>),
    Many(btree_map::Iter<'a, K, V>),
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        match self {
            Self::One(entry) => Self::One(*entry),
            Self::Many(entries) => Self::Many(entries.clone()),
        }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::One(entry) => entry.take(),
            Self::Many(entries) => entries.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is done to it, it is the map that it stands for.
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0..3_u8, "[a-d]", any::<u8>()), 0..50)) {
            let (mut few, mut map) = (Few::new(), BTreeMap::new());
            for (step, key, value) in steps {
                match step {
                    0 => prop_assert_eq!(few.insert(key.clone(), value), map.insert(key, value)),
                    1 => prop_assert_eq!(few.remove(key.as_str()), map.remove(key.as_str())),
                    _ => {
                        prop_assert_eq!(few.get(key.as_str()), map.get(key.as_str()));
                        prop_assert_eq!(few.get_mut(key.as_str()), map.get_mut(key.as_str()));
                    }
                }
                prop_assert_eq!(few.is_empty(), map.is_empty());
                let entries: Vec<(&String, &u8)> = few.iter().collect();
                prop_assert_eq!(entries, map.iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn one_entry_has_no_memory_of_its_own() {
        assert_eq!(
            size_of::<Few<u64, Box<str>>>(),
            size_of::<(u64, Box<str>)>()
        );
    }
}
