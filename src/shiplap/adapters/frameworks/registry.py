"""The registries of frameworks and emitters, keyed by class path; nothing heavy is imported to fill them.

An emitter of a transformer is a function ``(estimator, block, context) -> tuple of pieces``; one of a predictor is
``(estimator, block, context, method) -> tensor``. Other packages add theirs through the entry-point groups
``shiplap.transformers`` and ``shiplap.predictors``, named by the class path as `class_path` gives it. A labeler is an
emitter of what ``predict`` says, for a classifier whose predictor emitter gives scores and probabilities only.
"""

from __future__ import annotations

from typing import Any

from shiplap.core.registry import Registry

__all__ = ["class_path", "frameworks", "labelers", "predictors", "transformers"]

frameworks: Registry[Any] = Registry("framework", group="shiplap.frameworks")
transformers: Registry[Any] = Registry("transformer emitter", group="shiplap.transformers")
predictors: Registry[Any] = Registry("predictor emitter", group="shiplap.predictors")
labelers: Registry[Any] = Registry("labeler", group="shiplap.labelers")

_SKLEARN = "shiplap.adapters.frameworks.sklearn"
_LIGHTGBM = "shiplap.adapters.frameworks.lightgbm"
_XGBOOST = "shiplap.adapters.frameworks.xgboost"
_CATBOOST = "shiplap.adapters.frameworks.catboost"

_SEARCHES = ("Grid", "Randomized", "HalvingGrid", "HalvingRandom")

_TRANSFORMERS = {
    "meta": {
        "frozen.FrozenEstimator": "frozen_transform",
        **{f"model_selection.{name}SearchCV": "searched_transform" for name in _SEARCHES},
    },
    "vote": dict.fromkeys(("ensemble.VotingClassifier", "ensemble.VotingRegressor"), "voting_transform"),
    "stack": dict.fromkeys(("ensemble.StackingClassifier", "ensemble.StackingRegressor"), "stacked_transform"),
    "compose": {
        "pipeline.Pipeline": "transform_pipeline",
        "compose.ColumnTransformer": "column_transformer",
        "pipeline.FeatureUnion": "feature_union",
    },
    "isotonic": {"isotonic.IsotonicRegression": "isotonic_transform"},
    "functions": {"preprocessing.FunctionTransformer": "function_transformer"},
    "impute": {"impute.SimpleImputer": "simple_imputer", "impute.MissingIndicator": "missing_indicator"},
    "impute_models": {"impute.KNNImputer": "neighbor_imputer", "impute.IterativeImputer": "iterative_imputer"},
    "scale": {
        "preprocessing.StandardScaler": "standard_scaler",
        "preprocessing.MinMaxScaler": "min_max_scaler",
        "preprocessing.MaxAbsScaler": "max_abs_scaler",
        "preprocessing.RobustScaler": "robust_scaler",
        "preprocessing.Normalizer": "normalizer",
    },
    "project": {
        **dict.fromkeys(("decomposition.PCA", "decomposition.IncrementalPCA"), "principal_components"),
        **dict.fromkeys(
            (
                *("decomposition.TruncatedSVD", "neighbors.NeighborhoodComponentsAnalysis"),
                *("random_projection.GaussianRandomProjection", "random_projection.SparseRandomProjection"),
            ),
            "components",
        ),
        "decomposition.FastICA": "independent_components",
        "decomposition.FactorAnalysis": "factor_analysis",
        **dict.fromkeys(("decomposition.SparsePCA", "decomposition.MiniBatchSparsePCA"), "sparse_components"),
        **dict.fromkeys(
            [f"cross_decomposition.{name}" for name in ("CCA", "PLSCanonical", "PLSRegression", "PLSSVD")],
            "latent_structures",
        ),
        "discriminant_analysis.LinearDiscriminantAnalysis": "discriminant",
        "neural_network.BernoulliRBM": "restricted_boltzmann",
    },
    "centers": {
        **dict.fromkeys(
            [f"cluster.{name}" for name in ("KMeans", "MiniBatchKMeans", "BisectingKMeans", "Birch")],
            "center_distances",
        ),
        "preprocessing.KernelCenterer": "kernel_centerer",
        "decomposition.KernelPCA": "kernel_components",
    },
    "sketch": {
        "kernel_approximation.RBFSampler": "fourier",
        "kernel_approximation.SkewedChi2Sampler": "skewed_chi2",
        "kernel_approximation.AdditiveChi2Sampler": "additive_chi2",
        "kernel_approximation.Nystroem": "landmarks",
    },
    "bins": {"preprocessing.Binarizer": "threshold", "preprocessing.KBinsDiscretizer": "bins"},
    "polynomial": {"preprocessing.PolynomialFeatures": "polynomial"},
    "spline": {"preprocessing.SplineTransformer": "splines"},
    "quantile": {"preprocessing.QuantileTransformer": "quantiles"},
    "power": {"preprocessing.PowerTransformer": "powers"},
    "near_rows": {
        "neighbors.KNeighborsTransformer": "neighbor_graph",
        "neighbors.RadiusNeighborsTransformer": "radius_graph",
        "manifold.Isomap": "geodesics",
        "manifold.LocallyLinearEmbedding": "locally_linear",
    },
    "embedding": {"ensemble.RandomTreesEmbedding": "leaves"},
    "sparse_code": dict.fromkeys(
        [f"decomposition.{name}" for name in ("SparseCoder", "DictionaryLearning", "MiniBatchDictionaryLearning")],
        "sparse_code",
    ),
    "declined": dict.fromkeys(
        (
            *("preprocessing.LabelBinarizer", "preprocessing.LabelEncoder", "preprocessing.MultiLabelBinarizer"),
            *("decomposition.NMF", "decomposition.MiniBatchNMF", "decomposition.LatentDirichletAllocation"),
            *("kernel_approximation.PolynomialCountSketch", "feature_extraction.image.PatchExtractor"),
        ),
        "declined",
    ),
    "select": {
        **dict.fromkeys(
            [
                f"feature_selection.{name}"
                for name in (
                    *("GenericUnivariateSelect", "SelectKBest", "SelectPercentile", "SelectFdr", "SelectFpr"),
                    *("SelectFwe", "SelectFromModel", "SequentialFeatureSelector", "VarianceThreshold", "RFE", "RFECV"),
                )
            ],
            "selected",
        ),
        "cluster.FeatureAgglomeration": "agglomerated",
    },
    "categories": {
        "preprocessing.OrdinalEncoder": "ordinal_encoder",
        "preprocessing.OneHotEncoder": "one_hot_encoder",
        "preprocessing.TargetEncoder": "target_encoder",
    },
    "text": {
        "feature_extraction.text.CountVectorizer": "count_vectorizer",
        "feature_extraction.text.HashingVectorizer": "hashing_vectorizer",
        "feature_extraction.text.TfidfTransformer": "tfidf_transformer",
        "feature_extraction.text.TfidfVectorizer": "tfidf_vectorizer",
        "feature_extraction.DictVectorizer": "of_dictionaries",
        "feature_extraction.FeatureHasher": "of_dictionaries",
    },
}
_PREDICTORS = {
    "likelihood": {
        "decomposition.PCA": "normal_likelihood",
        "decomposition.FactorAnalysis": "normal_likelihood",
        "neural_network.BernoulliRBM": "pseudo_likelihood",
    },
    "compose": {"pipeline.Pipeline": "predict_pipeline"},
    "linear": {
        **dict.fromkeys(
            (
                *("linear_model.LogisticRegression", "linear_model.LogisticRegressionCV"),
                "discriminant_analysis.LinearDiscriminantAnalysis",
            ),
            "logistic",
        ),
        **dict.fromkeys(
            [
                f"linear_model.{name}"
                for name in (
                    *("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV"),
                    *("HuberRegressor", "BayesianRidge", "ARDRegression", "Lars", "LassoLars", "SGDRegressor"),
                    *("QuantileRegressor", "TheilSenRegressor", "OrthogonalMatchingPursuit"),
                    *("LarsCV", "LassoLarsCV", "LassoLarsIC", "OrthogonalMatchingPursuitCV"),
                    *("MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV"),
                    "PassiveAggressiveRegressor",
                )
            ]
            + ["svm.LinearSVR"],
            "linear",
        ),
        **dict.fromkeys(
            [
                f"linear_model.{name}"
                for name in (
                    *("SGDClassifier", "RidgeClassifier", "RidgeClassifierCV", "Perceptron"),
                    "PassiveAggressiveClassifier",
                )
            ]
            + ["svm.LinearSVC"],
            "linear_classifier",
        ),
        "linear_model.RANSACRegressor": "robust",
        **dict.fromkeys([f"cross_decomposition.{name}" for name in ("PLSRegression", "PLSCanonical", "CCA")], "latent"),
        "linear_model.SGDOneClassSVM": "linear_outliers",
        **dict.fromkeys(
            [f"linear_model.{name}" for name in ("PoissonRegressor", "GammaRegressor", "TweedieRegressor")], "glm"
        ),
    },
    "trees": {
        **dict.fromkeys(("tree.DecisionTreeClassifier", "tree.ExtraTreeClassifier"), "tree_classifier"),
        **dict.fromkeys(("tree.DecisionTreeRegressor", "tree.ExtraTreeRegressor"), "tree_regressor"),
        **dict.fromkeys(("ensemble.RandomForestClassifier", "ensemble.ExtraTreesClassifier"), "forest_classifier"),
        **dict.fromkeys(("ensemble.RandomForestRegressor", "ensemble.ExtraTreesRegressor"), "forest_regressor"),
    },
    "boosting": {
        "ensemble.GradientBoostingClassifier": "boosting_classifier",
        "ensemble.GradientBoostingRegressor": "boosting_regressor",
    },
    "histogram": {
        "ensemble.HistGradientBoostingClassifier": "histogram_classifier",
        "ensemble.HistGradientBoostingRegressor": "histogram_regressor",
    },
    "calibrate": {"calibration.CalibratedClassifierCV": "calibrated"},
    "bayes": {
        f"naive_bayes.{name}NB": name.lower()
        for name in ("Bernoulli", "Categorical", "Complement", "Gaussian", "Multinomial")
    },
    "svm": {
        **dict.fromkeys(("svm.SVC", "svm.NuSVC"), "classifier"),
        **dict.fromkeys(("svm.SVR", "svm.NuSVR"), "regressor"),
        "svm.OneClassSVM": "outliers",
    },
    "kernels": {"kernel_ridge.KernelRidge": "kernel_ridge"},
    "gaussian": {
        "gaussian_process.GaussianProcessRegressor": "regressor",
        "gaussian_process.GaussianProcessClassifier": "classifier",
        "gaussian_process._BinaryGaussianProcessClassifierLaplace": "laplace",
    },
    "perceptron": {
        "neural_network.MLPClassifier": "classifier",
        "neural_network.MLPRegressor": "regressor",
    },
    "mixtures": {
        **dict.fromkeys(("mixture.GaussianMixture", "mixture.BayesianGaussianMixture"), "mixture"),
        "covariance.EllipticEnvelope": "envelope",
    },
    "constant": {"dummy.DummyClassifier": "classifier", "dummy.DummyRegressor": "regressor"},
    "neighbors": {
        "neighbors.KNeighborsClassifier": "near_classifier",
        "neighbors.KNeighborsRegressor": "near_regressor",
        "neighbors.RadiusNeighborsClassifier": "radius_classifier",
        "neighbors.RadiusNeighborsRegressor": "radius_regressor",
        "neighbors.LocalOutlierFactor": "local_outliers",
        **dict.fromkeys([f"semi_supervised.Label{name}" for name in ("Propagation", "Spreading")], "spread_labels"),
    },
    "density": {"neighbors.KernelDensity": "kernel_density"},
    "isotonic": {"isotonic.IsotonicRegression": "isotonic"},
    "discriminant": {
        "discriminant_analysis.QuadraticDiscriminantAnalysis": "quadratic",
        "neighbors.NearestCentroid": "nearest_centroid",
    },
    "meta": {
        "frozen.FrozenEstimator": "frozen",
        **{f"model_selection.{name}SearchCV": "searched" for name in _SEARCHES},
        **dict.fromkeys(("feature_selection.RFE", "feature_selection.RFECV"), "on_selected"),
        "semi_supervised.SelfTrainingClassifier": "self_trained",
    },
    "target": {"compose.TransformedTargetRegressor": "transformed_target"},
    "threshold": {
        f"model_selection.{name}": "thresholded" for name in ("FixedThresholdClassifier", "TunedThresholdClassifierCV")
    },
    "vote": {
        "ensemble.VotingClassifier": "voting_classifier",
        "ensemble.VotingRegressor": "voting_regressor",
    },
    "stack": dict.fromkeys(("ensemble.StackingClassifier", "ensemble.StackingRegressor"), "stacked"),
    "bag": {
        "ensemble.BaggingClassifier": "bagging_classifier",
        "ensemble.BaggingRegressor": "bagging_regressor",
    },
    "adaboost": {
        "ensemble.AdaBoostClassifier": "adaboost_classifier",
        "ensemble.AdaBoostRegressor": "adaboost_regressor",
    },
    "outliers": {"ensemble.IsolationForest": "isolation_forest"},
    "multiclass": {
        "multiclass.OneVsRestClassifier": "one_vs_rest",
        "multiclass.OneVsOneClassifier": "one_vs_one",
        "multiclass.OutputCodeClassifier": "output_code",
        "multiclass._ConstantPredictor": "constant_predictor",
    },
    "multioutput": {
        **dict.fromkeys(("multioutput.MultiOutputClassifier", "multioutput.MultiOutputRegressor"), "multi_output"),
        **dict.fromkeys(("multioutput.ClassifierChain", "multioutput.RegressorChain"), "chain"),
    },
    "clusters": {
        **dict.fromkeys(("cluster.KMeans", "cluster.MiniBatchKMeans"), "k_means"),
        "cluster.BisectingKMeans": "bisecting",
        "cluster.MeanShift": "mean_shift",
        "cluster.AffinityPropagation": "affinity",
        "cluster.Birch": "birch",
    },
}
_LABELERS = {
    "by_decision": (
        *(
            f"linear_model.{name}"
            for name in (
                *(
                    "LogisticRegression",
                    "LogisticRegressionCV",
                    "SGDClassifier",
                    "RidgeClassifier",
                    "RidgeClassifierCV",
                ),
                *("Perceptron", "PassiveAggressiveClassifier"),
            )
        ),
        *(f"discriminant_analysis.{name}DiscriminantAnalysis" for name in ("Linear", "Quadratic")),
        *("svm.LinearSVC", "ensemble.HistGradientBoostingClassifier"),
    ),
    "by_decision_at_zero": ("ensemble.GradientBoostingClassifier",),
    "by_share": (
        *("tree.DecisionTreeClassifier", "tree.ExtraTreeClassifier"),
        *("ensemble.RandomForestClassifier", "ensemble.ExtraTreesClassifier"),
        *(f"naive_bayes.{name}NB" for name in ("Bernoulli", "Categorical", "Complement", "Gaussian", "Multinomial")),
        *("neighbors.KNeighborsClassifier", "calibration.CalibratedClassifierCV"),
        *("semi_supervised.LabelPropagation", "semi_supervised.LabelSpreading"),
    ),
}

for _module, _names in _TRANSFORMERS.items():
    for _name, _function in _names.items():
        transformers.add_lazy(f"sklearn.{_name}", f"{_SKLEARN}.{_module}:{_function}", extra="lab")
for _module, _names in _PREDICTORS.items():
    for _name, _function in _names.items():
        predictors.add_lazy(f"sklearn.{_name}", f"{_SKLEARN}.{_module}:{_function}", extra="lab")
for _function, _paths in _LABELERS.items():
    for _name in _paths:
        labelers.add_lazy(f"sklearn.{_name}", f"{_SKLEARN}.labels:{_function}", extra="lab")
labelers.add_lazy("lightgbm.sklearn.LGBMClassifier", f"{_SKLEARN}.labels:by_share", extra="lab")
predictors.add_lazy("lightgbm.sklearn.LGBMClassifier", f"{_LIGHTGBM}.emit:classifier", extra="lab")
predictors.add_lazy("lightgbm.sklearn.LGBMRegressor", f"{_LIGHTGBM}.emit:regressor", extra="lab")
predictors.add_lazy("lightgbm.sklearn.LGBMRanker", f"{_LIGHTGBM}.emit:regressor", extra="lab")
predictors.add_lazy(f"{_LIGHTGBM}.framework.BoosterRegressor", f"{_LIGHTGBM}.emit:regressor", extra="lab")
predictors.add_lazy(f"{_LIGHTGBM}.framework.BoosterClassifier", f"{_LIGHTGBM}.emit:classifier", extra="lab")
labelers.add_lazy(f"{_LIGHTGBM}.framework.BoosterClassifier", f"{_SKLEARN}.labels:by_share", extra="lab")

for _library, _names, _function in (
    ("xgboost", ("xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRFClassifier"), "classifier"),
    ("xgboost", [f"xgboost.sklearn.XGB{_name}" for _name in ("Regressor", "RFRegressor", "Ranker")], "regressor"),
    ("xgboost", (f"{_XGBOOST}.framework.BoosterClassifier",), "classifier"),
    ("xgboost", (f"{_XGBOOST}.framework.BoosterRegressor",), "regressor"),
    ("catboost", ("catboost.core.CatBoostClassifier", f"{_CATBOOST}.framework.ModelClassifier"), "classifier"),
    ("catboost", ("catboost.core.CatBoostRegressor", "catboost.core.CatBoostRanker"), "regressor"),
    ("catboost", (f"{_CATBOOST}.framework.ModelRegressor",), "regressor"),
):
    for _name in _names:
        predictors.add_lazy(_name, f"shiplap.adapters.frameworks.{_library}.emit:{_function}", extra=_library)
        if _function == "classifier":
            labelers.add_lazy(_name, f"{_SKLEARN}.labels:by_share", extra=_library)

frameworks.add_lazy("sklearn", f"{_SKLEARN}.framework:SKLEARN", extra="lab")
frameworks.add_lazy("lightgbm", f"{_LIGHTGBM}.framework:LIGHTGBM", extra="lab")
frameworks.add_lazy("xgboost", f"{_XGBOOST}.framework:XGBOOST", extra="xgboost")
frameworks.add_lazy("catboost", f"{_CATBOOST}.framework:CATBOOST", extra="catboost")
frameworks.add_lazy("torch", "shiplap.adapters.frameworks.torch.network:TORCH", extra="torch")
frameworks.add_lazy("fastai", "shiplap.adapters.frameworks.fastai.framework:FASTAI", extra="fastai")
frameworks.add_lazy("onnx", "shiplap.adapters.frameworks.onnx.framework:ONNX", extra="lab")
frameworks.add_lazy("mxnet", "shiplap.adapters.frameworks.mxnet.framework:MXNET", extra="lab")
for _library in ("jax", "jaxlib", "flax"):
    frameworks.add_lazy(_library, "shiplap.adapters.frameworks.jax.framework:JAX", extra="jax")
for _library in ("tensorflow", "keras"):
    frameworks.add_lazy(_library, "shiplap.adapters.frameworks.tensorflow.framework:TENSORFLOW", extra="tensorflow")


def class_path(kind: type) -> str:
    """Name a class by its public place: private modules, which move between versions, are left out.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> class_path(StandardScaler)
    'sklearn.preprocessing.StandardScaler'
    """
    public: list[str] = []
    for part in kind.__module__.split("."):
        if part.startswith("_"):
            break
        public.append(part)
    return ".".join([*public, kind.__qualname__])
