"""The client: what it has ``millrace`` do, and what it makes of the answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from millrace import Recipe
from millrace.recipe import ClassificationRecipe, MillraceRecipeError, RegressionRecipe


def step(name: str, state: str = "STEP_STATE_SUCCEEDED", **more):
    return {"name": name, "state": state, "outputs": [], **more}


class TestConstruction:
    def test_finds_the_project_from_a_directory_below_it(self, project):
        recipe = Recipe(profile="local")
        assert (recipe.name, recipe.profile, type(recipe)) == ("wines", "local", ClassificationRecipe)

    def test_reads_projects_of_mlflow_1(self, project):
        (project / "recipe.yaml").rename(project / "pipeline.yaml")
        (project / "pipeline.yaml").write_text('template: "regression/v1"\n')
        assert isinstance(Recipe(), RegressionRecipe)

    def test_takes_a_name_of_its_own(self, project):
        (project / "recipe.yaml").write_text("name: cellar  # of wines\nrecipe: regression/v1\n")
        assert Recipe().name == "cellar"

    @pytest.mark.parametrize("variable", ["MLFLOW_RECIPES_PROFILE", "MLFLOW_PIPELINES_PROFILE"])
    def test_takes_the_profile_of_mlflow_variables(self, project, monkeypatch, variable):
        monkeypatch.setenv(variable, "local")
        assert Recipe().profile == "local"

    def test_refuses_a_profile_that_is_not_there(self, project):
        with pytest.raises(MillraceRecipeError, match=r"profiles/cloud\.yaml does not exist[^\n]*\nProfiles are local\."):
            Recipe(profile="cloud")

    def test_refuses_a_place_without_a_recipe(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(MillraceRecipeError, match=r"no recipe\.yaml"):
            Recipe()


class TestRun:
    def test_tells_what_happens_and_returns_nothing(self, project, millrace, capsys):
        millrace.answers(lines=["> ingest", "✔ ingest  1.2 s"], document={"id": "run_1", "steps": [step("ingest")]})
        assert Recipe(profile="local").run("ingest") is None
        assert capsys.readouterr().out == "> ingest\n✔ ingest  1.2 s\n"
        expected = ["recipes", "run", "--profile", "local", "--step", "ingest", "--progress", "--json"]
        assert millrace.calls == [{"arguments": expected, "directory": str(project)}]

    def test_raises_for_the_step_that_failed(self, project, millrace):
        error = {
            "code": "invalid",
            "message": "steps/train.py:7: KeyError: 'alpha'",
            "hint": "Fix the step function.",
            "stack": "steps/train.py:3 in estimator_fn\nsteps/train.py:7 in fit",
        }
        failed = step("train", "STEP_STATE_FAILED", error=error)
        millrace.answers(document={"id": "run_1", "steps": [step("split"), failed]}, error=error, code=2)
        with pytest.raises(MillraceRecipeError) as raised:
            Recipe().run()
        thrown = raised.value
        assert (thrown.step, thrown.run, thrown.code) == ("train", "run_1", "invalid")
        assert str(thrown) == (
            "step train failed: steps/train.py:7: KeyError: 'alpha'\n"
            "  steps/train.py:3 in estimator_fn\n  steps/train.py:7 in fit\nFix the step function."
        )

    def test_raises_for_a_recipe_that_is_wrong_with_each_thing(self, project, millrace):
        violations = [{"path": "recipe.yaml:3:1 a", "message": "is wrong"}, {"path": "b", "message": "too"}]
        millrace.answers(error={"code": "invalid", "message": "2 problems", "violations": violations}, code=2)
        with pytest.raises(MillraceRecipeError, match=r"2 problems\n  recipe\.yaml:3:1 a: is wrong\n  b: too"):
            Recipe().run()

    def test_passes_an_interrupt_on_and_raises_it_when_the_command_has_ended(self, project, millrace):
        millrace.answers(wait=True)
        code = (
            "import os, signal\nfrom millrace import Recipe\nimport millrace.recipe as recipe\n"
            "recipe._tell = lambda line: os.kill(os.getpid(), signal.SIGINT)\n"
            "try:\n    Recipe().run()\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        assert (done.stdout, done.returncode) == ("interrupted\n", 0), done.stderr

    def test_says_how_to_get_the_command_where_there_is_none(self, project, monkeypatch):
        monkeypatch.delenv("MILLRACE_COMMAND", raising=False)
        monkeypatch.setenv("PATH", "")
        with pytest.raises(MillraceRecipeError, match="MILLRACE_COMMAND"):
            Recipe().run()


class TestInspect:
    def test_prints_where_the_card_is(self, project, millrace, capsys, monkeypatch):
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        millrace.answers(document={"path": "/somewhere/card.html"})
        Recipe().inspect("train")
        assert capsys.readouterr().out == "/somewhere/card.html\n"
        assert millrace.calls[0]["arguments"] == ["recipes", "inspect", "--step", "train", "--no-open", "--json"]

    def test_only_tells_of_a_step_that_was_not_run(self, project, millrace, capsys):
        millrace.answers(error={"code": "not_found", "message": "step train has not been run"}, code=3)
        Recipe().inspect("train")
        assert capsys.readouterr().out == "step train has not been run\n"

    def test_shows_it_in_a_frame_in_a_notebook(self):
        from millrace.client.pages import inline_frame

        frame = inline_frame('<p title="a">&</p><script>alert(1)</script>')
        assert "<script" not in frame and 'sandbox=""' in frame
        assert "&lt;p title=&quot;a&quot;&gt;&amp;amp;" in frame.replace("&amp;&lt;", "&amp;amp;&lt;")


class TestArtifacts:
    def test_loads_tables_with_their_index(self, project, millrace):
        pd = pytest.importorskip("pandas", reason="tables need pandas")
        table = pd.DataFrame({"a": [1.5, 2.5]}, index=[7, 3])
        table.to_parquet(project / "t.parquet")
        millrace.answers(document={"path": str(project / "t.parquet")})
        pd.testing.assert_frame_equal(Recipe().get_artifact("training_data"), table)
        assert millrace.calls[0]["arguments"] == ["recipes", "get-artifact", "--artifact", "training_data", "--json"]

    def test_gives_parameters_as_text(self, project, millrace):
        (project / "p.yaml").write_text("alpha: 0.5\n")
        millrace.answers(document={"path": str(project / "p.yaml")})
        assert Recipe().get_artifact("best_parameters") == "alpha: 0.5\n"

    def test_gives_a_run_with_what_was_logged(self, project, millrace):
        run = '{"id": "abc", "name": "n", "status": "RUN_STATUS_FINISHED", "metrics": {"val_x": 0.25}, "params": {"a": "1"},'
        (project / "run.json").write_text(run + ' "startedAt": "2026-01-01T00:00:00.500Z"}')
        millrace.answers(document={"path": str(project / "run.json")})
        run = Recipe().get_artifact("run")
        assert (run.info.run_id, run.info.status, run.info.start_time) == ("abc", "FINISHED", 1767225600500)
        assert (run.data.metrics, run.data.params) == ({"val_x": 0.25}, {"a": "1"})

    def test_gives_a_registered_version(self, project, millrace):
        (project / "v.json").write_text('{"model": "wines", "version": 3, "trainingRunId": "abc", "aliases": ["a"]}')
        millrace.answers(document={"path": str(project / "v.json")})
        version = Recipe().get_artifact("registered_model_version")
        assert (version.name, str(version.version), version.run_id) == ("wines", "3", "abc")

    def test_unpickles_a_transformer_with_the_modules_of_the_project(self, project, millrace):
        (project / "steps").mkdir()
        (project / "steps" / "features.py").write_text("class Double:\n    def transform(self, x):\n        return 2 * x\n")
        package = project / "transform"
        package.mkdir()
        (package / "transformer.pkl").write_bytes(b"\x80\x04csteps.features\nDouble\n)\x81.")
        millrace.answers(document={"path": str(package)})
        assert Recipe().get_artifact("transformer").transform(21) == 42

    def test_says_where_a_model_is_that_python_cannot_load(self, project, millrace):
        (project / "MLmodel").write_text("flavors:\n  millrace: {}\n")
        millrace.answers(document={"path": str(project)})
        with pytest.raises(MillraceRecipeError, match="was not made by Python"):
            Recipe().get_artifact("model")

    @pytest.mark.parametrize("code", ["not_found", "failed_precondition"])
    def test_warns_and_gives_none_where_there_is_none(self, project, millrace, code):
        millrace.answers(error={"code": code, "message": "step train has not been run"}, code=3)
        with pytest.warns(UserWarning, match="model: step train has not been run"):
            assert Recipe().get_artifact("model") is None

    def test_raises_for_a_name_that_no_recipe_has(self, project, millrace):
        millrace.answers(error={"code": "invalid", "message": '"money" is no artifact of a recipe'}, code=2)
        with pytest.raises(MillraceRecipeError, match="no artifact"):
            Recipe().get_artifact("money")


def test_clean_has_a_step_done_anew(project, millrace):
    millrace.answers(document={"cleaned": ["train"]})
    assert Recipe().clean("train") is None
    assert millrace.calls[0]["arguments"] == ["recipes", "clean", "--step", "train", "--json"]
