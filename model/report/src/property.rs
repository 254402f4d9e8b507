//! The JSON Schema of a property.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;
use std::borrow::Cow;
use zus_checker::properties::Property;

/// The schema of a [`Property`]: its id, or its name.
pub struct PropertySchema;

impl JsonSchema for PropertySchema {
    fn schema_name() -> Cow<'static, str> {
        "Property".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all = Property::every();
        let ids: Vec<_> =
            all.map(|p| json!({ "description": p.text(), "type": "string", "const": p.id() })).collect();
        json_schema!({ "description": "A property, by its id.", "oneOf": ids })
    }
}
