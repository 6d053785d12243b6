"""fastai: tabular and vision learners, with the preprocessing that their data loaders do."""
