"""TensorFlow: Keras 3 models, SavedModels and functions of tensors; lookups of strings go to the encoder."""
