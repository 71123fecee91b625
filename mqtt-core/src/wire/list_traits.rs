//! What every list of a packet can do alike.

/// Implements for a list over borrowed data what follows from its `EMPTY`, `new` and `iter`: it is equal to another with
/// the same items in the same order, shows them, is made from a slice of them and can be gone through.
macro_rules! list_traits {
    ($list:ident, $iter:ident, $item:ty) => {
        /// The list without items.
        impl Default for $list<'_> {
            fn default() -> Self {
                Self::EMPTY
            }
        }

        impl<'a> From<&'a [$item]> for $list<'a> {
            fn from(items: &'a [$item]) -> Self {
                Self::new(items)
            }
        }

        impl<'a, const N: usize> From<&'a [$item; N]> for $list<'a> {
            fn from(items: &'a [$item; N]) -> Self {
                Self::new(items)
            }
        }

        /// Equal if they have the same items in the same order.
        impl PartialEq for $list<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.iter().eq(other.iter())
            }
        }

        impl Eq for $list<'_> {}

        impl core::fmt::Debug for $list<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_list().entries(self.iter()).finish()
            }
        }

        impl<'a> IntoIterator for $list<'a> {
            type Item = $item;
            type IntoIter = $iter<'a>;

            fn into_iter(self) -> $iter<'a> {
                self.iter()
            }
        }

        impl<'a> IntoIterator for &$list<'a> {
            type Item = $item;
            type IntoIter = $iter<'a>;

            fn into_iter(self) -> $iter<'a> {
                self.iter()
            }
        }

        impl core::iter::FusedIterator for $iter<'_> {}
    };
}

pub(crate) use list_traits;
