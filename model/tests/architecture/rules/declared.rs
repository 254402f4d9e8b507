//! Constants and fields whose type is a rule.

use std::collections::BTreeSet;

use syn::visit::Visit;

use super::vocabulary::Vocabulary;

/// The names that a file declares.
#[derive(Default)]
pub(super) struct Declared {
    pub constants: BTreeSet<String>,
    pub fields: BTreeSet<String>,
}

impl Declared {
    pub fn by(words: &Vocabulary, file: &syn::File) -> Self {
        let mut declarations = Declarations { words, found: Declared::default() };
        declarations.visit_file(file);
        declarations.found
    }
}

struct Declarations<'v> {
    words: &'v Vocabulary,
    found: Declared,
}

impl Declarations<'_> {
    fn constant(&mut self, name: &syn::Ident, of: &syn::Type) {
        if self.words.is_rule_type(of) {
            self.found.constants.insert(name.to_string());
        }
    }
}

impl<'ast> Visit<'ast> for Declarations<'_> {
    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constant(&item.ident, &item.ty);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.constant(&item.ident, &item.ty);
    }

    fn visit_trait_item_const(&mut self, item: &'ast syn::TraitItemConst) {
        self.constant(&item.ident, &item.ty);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.constant(&item.ident, &item.ty);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if let Some(name) = &field.ident
            && self.words.is_rule_type(&field.ty)
        {
            self.found.fields.insert(name.to_string());
        }
    }
}
