"""Calls a function of the user's: what a step does, in short."""

from millrace.worker.user_code import user_function


def main(input, context):
    context.activity(f"fit of {input['module']}")
    return {"result": user_function(input["module"], input["function"], "steps.train.estimator_method")()}
