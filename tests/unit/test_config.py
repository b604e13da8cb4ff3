"""One model = the YAML file = the flags; problems are named with the nearest right name."""

import pytest
import yaml

from demur.cli.settings import parse
from demur.core.config import Config, differences, leaves, load_config, save_config
from demur.core.errors import ConfigError


def test_the_defaults_are_a_configuration(tmp_path):
    save_config(Config(), tmp_path / "c.yaml")
    assert load_config(tmp_path / "c.yaml") == load_config(str(tmp_path / "c.yaml")) == Config()


def test_flags_go_over_the_file_over_the_defaults(tmp_path):
    (tmp_path / "c.yaml").write_text("seed: 3\ntraining: {epochs: 4, batch_size: 8}\n")
    config = load_config(tmp_path / "c.yaml", {"training.epochs": "2.5", "template.unsure": " unsure"})
    assert (config.seed, config.training.epochs, config.training.batch_size) == (3, 2.5, 8)
    assert config.template.unsure == " unsure", "the space before a label word is part of it"


def test_settings_are_flags_of_every_form():
    """Also below settings that hold names of their own, which no command line library can know."""
    path, given = parse(
        [
            *("c.yaml", "--model", "a/b", "--training.batch-size=8", "--training.learning_rate", "-1"),
            *(
                "--overrides.vanilla.training.epochs",
                "3",
                "--template.refusal=a=b",
                "--probe.sure",
                "false",
            ),
        ]
    )
    assert str(path) == "c.yaml"
    assert given == {
        "model.path": "a/b",
        "training.batch_size": "8",
        "training.learning_rate": "-1",
        "overrides.vanilla.training.epochs": "3",
        "template.refusal": "a=b",
        "probe.sure": "false",
    }
    assert load_config(None, {"overrides.vanilla.training.epochs": "3"}).training_for("vanilla").epochs == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--seed"], "a value after --seed"),
        (["--seed", "--out"], "a value after --seed"),
        (["--no-such"], "an option of this command, or a setting"),
        (["--no-such", "--seed", "3"], "an option of this command, or a setting"),
        (["a.yaml", "b.yaml"], "'b.yaml'"),
        (["-s", "3"], "'-s'"),
    ],
)
def test_a_line_that_is_no_setting_is_explained(line, said):
    with pytest.raises(ConfigError, match=said):
        parse(line)


def test_flags_take_lists_as_yaml_or_with_commas():
    assert load_config(None, {"baselines": "vanilla,other"}).baselines == ("vanilla", "other")
    assert load_config(None, {"baselines": "[]"}).baselines == ()
    assert load_config(None, {"probe.stop": '["\\n"]'}).probe.stop == ("\n",)
    assert load_config(None, {"training.max_steps": "null"}).training.max_steps is None


def test_every_problem_is_reported_at_once_with_the_nearest_name():
    with pytest.raises(ConfigError) as caught:
        load_config(None, {"training.epocs": "2", "probe.samples": "-1", "template.family": "rtuning-code"})
    text = str(caught.value)
    assert "did you mean 'training.epochs'" in text
    assert "probe.samples" in text
    assert "did you mean 'r-tuning-code'" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a: [1", "YAML"), (b"- a\n", "a list"), (b"\xff\xfe\x00", "UTF-8"), (b"5", "a int")],
)
def test_a_file_that_is_no_configuration_is_explained(content, message, tmp_path):
    (tmp_path / "c.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_config(tmp_path / "c.yaml")


def test_a_missing_file_is_explained(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.yaml")


def test_a_prompt_without_its_question_is_refused():
    with pytest.raises(ConfigError, match="must hold"):
        load_config(None, {"template.prompt": "Answer:"})


def test_overrides_of_single_systems_are_checked_and_applied():
    config = load_config(None, {"overrides": {"vanilla": {"training": {"epochs": 3}}}})
    assert (config.training_for("vanilla").epochs, config.training_for("r-tuning").epochs) == (3, 1)
    with pytest.raises(ConfigError, match="epocs"):
        load_config(None, {"overrides": {"vanilla": {"training": {"epocs": 3}}}})


def test_differences_name_the_settings_and_leave_the_folder_out():
    old, new = load_config(None, {"out": "a"}), load_config(None, {"out": "b", "probe.top_p": "0.5"})
    assert differences(old, new) == ["probe.top_p: 1.0 there, 0.5 here"]
    assert differences(old, old) == []


def test_every_setting_is_described_and_dumped():
    names = {name for name, _ in leaves()}
    assert all(info.description for _, info in leaves())
    dumped = yaml.safe_load(yaml.safe_dump(Config().model_dump(mode="json")))
    assert names == set(dotted(dumped))


def dotted(values, prefix=""):
    """Names of the values in nested sections; four settings are mappings themselves."""
    for name, value in values.items():
        if isinstance(value, dict) and name not in ("overrides", "stages", "extra", "options"):
            yield from dotted(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_the_template_of_a_chat_opens_the_answer_without_a_space():
    settings = Config().template
    assert (settings.template(chat=False).answer_lead, settings.template(chat=True).answer_lead) == (
        " ",
        "",
    )
    given = load_config(None, {"template.answer_lead": ">", "template.refusal": "Je ne sais pas."}).template
    assert given.template(chat=True).answer_lead == ">"
    assert given.template(chat=True).refusal == "Je ne sais pas."
