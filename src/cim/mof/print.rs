//! MOF text of classes, instances and qualifier declarations.
