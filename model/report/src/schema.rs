//! The JSON Schemas (draft 2020-12) of what `zus` writes and reads, made from the types themselves. They are committed in
//! `model/schemas`; a change that a reader could notice is a new version.

use super::{Report, page::figures::Figures, summary::proofs::Proofs};
use schemars::{JsonSchema, generate::SchemaSettings};

/// Of `zus check --format json`.
pub fn report() -> String {
    of::<Report>("zus-report", super::VERSION)
}

/// Of `zus report --figures`.
pub fn figures() -> String {
    of::<Figures>("zus-figures", super::page::figures::VERSION)
}

/// Of `zus-proofs check --format json`.
pub fn proofs() -> String {
    of::<Proofs>("zus-proofs", super::summary::proofs::VERSION)
}

fn of<T: JsonSchema>(format: &str, version: u32) -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), format!("{format}, version {version}").into());
    // A file of another format or version is none of this one.
    if let Some(properties) = schema.get_mut("properties").and_then(|p| p.as_object_mut()) {
        for (name, value) in [("format", serde_json::json!(format)), ("version", serde_json::json!(version))]
        {
            if let Some(property) = properties.get_mut(name).and_then(|p| p.as_object_mut()) {
                property.insert("const".into(), value);
            }
        }
    }
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}
