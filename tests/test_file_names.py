"""Names of files: safe, and apart where the names are."""

from robbench.file_names import file_stem, safe_file_name


def test_safe_names_differ_where_names_differ() -> None:
    options = ["a", "a/b", "a_b", "a\\b", "..", ".", "", "x" * 61, "x" * 62]
    assert len({safe_file_name(name) for name in options}) == len(options)
    assert safe_file_name("cifar10") == "cifar10"
    assert all(len(safe_file_name(name)) <= 70 for name in options)


def test_a_norm_other_than_linf_is_named() -> None:
    assert file_stem("mnist", "linf") == "mnist"
    assert file_stem("mnist", "l2") == "mnist-l2"
