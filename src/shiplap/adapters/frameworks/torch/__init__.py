"""PyTorch: modules, Lightning modules, TorchScript modules and exported programs, as they answer in evaluation mode."""
