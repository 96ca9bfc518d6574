// Made of schema/recipe.schema.json by `npx vitest run libs/recipe/src/schema-check.unit.spec.ts -u`; do not edit.
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);

export const validateRecipe = validate20;
const schema31 = {"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://millrace.dev/schema/recipe.schema.json","title":"Millrace recipe","description":"recipe.yaml: one model's life from data to a watched endpoint. A superset of MLflow Recipes.","type":"object","required":["recipe","target_col","steps"],"additionalProperties":false,"properties":{"recipe":{"description":"Kind of the recipe.","enum":["regression/v1","classification/v1"]},"name":{"description":"Name of the project; default is the name of its directory.","$ref":"#/$defs/name"},"metadata":{"description":"Free labels, carried to runs and model versions.","type":"object","additionalProperties":{"type":["string","number","boolean"]}},"seed":{"description":"Seed of everything random in the run.","type":"integer","minimum":0,"maximum":4294967295,"default":42},"target_col":{"description":"Name of the column to predict.","$ref":"#/$defs/text"},"positive_class":{"description":"Label of the positive class; required with exactly two classes, absent with more.","type":["string","number","boolean"]},"primary_metric":{"description":"Metric by which trials and models are ranked.","$ref":"#/$defs/text"},"custom_metrics":{"description":"Metrics computed by functions of steps/custom_metrics.","type":["array","null"],"items":{"$ref":"#/$defs/customMetric"}},"experiment":{"$ref":"#/$defs/experiment"},"model_registry":{"$ref":"#/$defs/modelRegistry"},"steps":{"description":"The steps of the recipe, each with its settings.","type":"object","required":["ingest"],"additionalProperties":false,"properties":{"ingest":{"$ref":"#/$defs/ingest"},"split":{"$ref":"#/$defs/split"},"transform":{"$ref":"#/$defs/transform"},"train":{"$ref":"#/$defs/train"},"evaluate":{"$ref":"#/$defs/evaluate"},"register":{"$ref":"#/$defs/register"},"deploy":{"$ref":"#/$defs/deploy"},"monitor":{"$ref":"#/$defs/monitor"},"ingest_scoring":{"$ref":"#/$defs/ingestScoring"},"predict":{"$ref":"#/$defs/predict"}}}},"$defs":{"text":{"type":"string","minLength":1},"name":{"type":"string","pattern":"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$","x-expect":"1 to 128 letters, digits, `.`, `_` or `-`, beginning with a letter or digit"},"functionName":{"type":"string","pattern":"^[A-Za-z_$][A-Za-z0-9_$]*$","x-expect":"the bare name of a function"},"columns":{"type":"array","minItems":1,"uniqueItems":true,"items":{"$ref":"#/$defs/text"}},"duration":{"description":"A number of seconds, or a number with unit: 500ms, 90s, 15m, 2h, 7d.","type":["string","number"],"exclusiveMinimum":0,"pattern":"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$","x-expect":"a duration such as 90s, 15m, 2h or 7d"},"retries":{"description":"How often a step is tried again after an error that may pass.","type":"integer","minimum":0,"maximum":20,"default":2},"cache":{"description":"Whether and how long a finished step's outputs are reused when nothing that it depends on changed.","type":["object","null"],"additionalProperties":false,"properties":{"enabled":{"description":"Whether outputs are reused at all.","type":"boolean","default":true},"ttl":{"description":"Outputs older than this are not reused.","$ref":"#/$defs/duration"}}},"skipDataProfiling":{"description":"Leave the data profile out of the step's card.","type":"boolean","default":false},"customMetric":{"type":"object","additionalProperties":false,"required":["name","function","greater_is_better"],"properties":{"name":{"description":"Name of the metric.","$ref":"#/$defs/text"},"function":{"description":"Function in steps/custom_metrics that computes it.","$ref":"#/$defs/functionName"},"greater_is_better":{"description":"Direction of the metric.","type":"boolean"}}},"experiment":{"description":"Where runs are tracked.","type":["object","null"],"additionalProperties":false,"properties":{"name":{"description":"Name of the experiment.","$ref":"#/$defs/text"},"id":{"description":"Id of the experiment; `name` goes first.","type":["string","integer"]},"tracking_uri":{"description":"Tracking server of MLflow; Millrace tracks itself.","type":"string"},"artifact_location":{"description":"Where MLflow kept artifacts; not used by Millrace.","type":"string"},"tags":{"description":"Tags of MLflow's experiment; not used by Millrace, where runs have tags.","type":["object","null"]},"run_name_prefix":{"description":"Beginning of the names of training runs.","type":"string"}}},"modelRegistry":{"description":"Where model versions are registered.","type":["object","null"],"additionalProperties":false,"properties":{"model_name":{"description":"Name of the registered model.","$ref":"#/$defs/name"},"registry_uri":{"description":"Registry of MLflow; Millrace registers itself.","type":"string"}}},"ingest":{"description":"Reads the data into an immutable dataset version.","type":"object","additionalProperties":false,"required":["using"],"properties":{"using":{"description":"Format: parquet, csv, jsonl, delta, spark_sql, custom, or a file extension that the loader reads.","$ref":"#/$defs/text"},"location":{"$ref":"#/$defs/location"},"sql":{"description":"Query for spark_sql.","$ref":"#/$defs/text"},"loader_method":{"description":"Function in steps/ingest that reads one file.","$ref":"#/$defs/functionName"},"version":{"description":"Version of a Delta table.","type":"integer","minimum":0},"timestamp":{"description":"Time of a Delta table.","type":"string"},"dataset":{"description":"Name of the dataset; default is the project's name.","$ref":"#/$defs/name"},"csv":{"$ref":"#/$defs/csv"},"contract":{"description":"What the data must be like: a mapping, or the path of a YAML or JSON file in the project.","if":{"type":"string"},"then":{"minLength":1},"else":{"$ref":"#/$defs/contract"}},"skip_data_profiling":{"$ref":"#/$defs/skipDataProfiling"},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}},"location":{"description":"A path in the project, a glob, or an address; or a list of them.","type":["string","array"],"minLength":1,"minItems":1,"items":{"$ref":"#/$defs/text"}},"csv":{"description":"How CSV files are written; found out where left away.","type":["object","null"],"additionalProperties":false,"properties":{"delimiter":{"description":"Character between fields.","type":"string"},"quote":{"description":"Character around fields.","type":"string"},"header":{"description":"Whether the first line names the columns.","type":"boolean"},"encoding":{"description":"Encoding of the text.","type":"string"},"missing_values":{"description":"Texts that stand for a missing value.","type":"array","items":{"type":"string"}}}},"split":{"description":"Divides the data into training, validation and test rows.","type":["object","null"],"additionalProperties":false,"properties":{"using":{"description":"By ratios, or by a function.","enum":["split_ratios","custom"],"default":"split_ratios"},"split_ratios":{"description":"Shares of training, validation and test rows; normalised by their sum.","type":"array","minItems":3,"maxItems":3,"items":{"type":"number","exclusiveMinimum":0},"default":[0.75,0.125,0.125]},"split_method":{"description":"Function in steps/split that names the split of each row.","$ref":"#/$defs/functionName"},"post_split_filter_method":{"description":"Function in steps/split that says which training rows to keep.","$ref":"#/$defs/functionName"},"post_split_method":{"description":"Function in steps/split that changes the three splits.","$ref":"#/$defs/functionName"},"key_columns":{"description":"Rows with equal values here stay in one split.","$ref":"#/$defs/columns"},"time_column":{"description":"Split by time: the oldest rows train, the newest test.","$ref":"#/$defs/text"},"leak_check":{"description":"What happens when equal rows are in two splits.","enum":["off","warn","block"],"default":"warn"},"skip_data_profiling":{"$ref":"#/$defs/skipDataProfiling"},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}},"transform":{"description":"Fits the feature transformer on the training rows.","type":["object","null"],"additionalProperties":false,"properties":{"using":{"description":"auto imputes, scales and encodes; none passes the columns on; custom calls transformer_method.","enum":["auto","none","custom"]},"transformer_method":{"description":"Function in steps/transform that returns the unfitted transformer.","type":["string","null"],"pattern":"^[A-Za-z_$][A-Za-z0-9_$]*$","x-expect":"the bare name of a function"},"skip_data_profiling":{"$ref":"#/$defs/skipDataProfiling"},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"},"select":{"description":"Columns to use; default all.","$ref":"#/$defs/columns"},"drop":{"description":"Columns not to use.","type":"array","items":{"$ref":"#/$defs/text"}},"numeric":{"description":"What auto does with numbers.","$ref":"#/$defs/numericRule"},"categorical":{"description":"What auto does with categories.","$ref":"#/$defs/categoricalRule"},"date":{"description":"What auto does with dates.","$ref":"#/$defs/dateRule"},"columns":{"description":"What auto does with single columns: keep, drop, or a rule with its kind.","type":"object","additionalProperties":{"type":["string","object"]}}}},"train":{"description":"Trains the model, with a search over its parameters if tuning is on.","type":["object","null"],"additionalProperties":false,"properties":{"using":{"description":"Estimator.","enum":["ydf/gradient_boosted_trees","ydf/random_forest","linear/ridge","linear/logistic","trees/gradient_boosting","baseline/mean","baseline/majority","custom","automl/flaml"]},"estimator_method":{"description":"Function in steps/train that returns the unfitted estimator.","$ref":"#/$defs/functionName"},"estimator_params":{"description":"Fixed parameters of the estimator.","type":["object","null"]},"predict_scores_for_all_classes":{"description":"Whether predictions carry a score for each class.","type":"boolean","default":true},"predict_prefix":{"description":"Beginning of the names of prediction columns.","type":"string","default":"predicted_"},"onnx":{"description":"Whether the model gets a form in ONNX, which is served without Python (Python recipes): where it converts, always or never.","enum":["auto","required","off"],"default":"auto"},"calibrate_proba":{"description":"Method of probability calibration.","enum":["sigmoid","isotonic"]},"rebalance_training_data":{"description":"Whether large unbalanced binary data is downsampled.","type":"boolean"},"resampling_minority_percentage":{"description":"Share of the minority class to reach.","type":"number","exclusiveMinimum":0,"exclusiveMaximum":1},"time_budget_secs":{"description":"Time for automl/flaml.","type":"number","exclusiveMinimum":0},"flaml_params":{"description":"Parameters of FLAML.","type":["object","null"]},"tuning":{"$ref":"#/$defs/tuning"},"skip_data_profiling":{"$ref":"#/$defs/skipDataProfiling"},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}},"tuning":{"description":"Search over the estimator's parameters.","type":["object","null"],"additionalProperties":false,"required":["enabled"],"properties":{"enabled":{"description":"Whether to search.","type":"boolean"},"max_trials":{"description":"How many settings to try.","type":"integer","minimum":1},"algorithm":{"description":"grid, random or tpe.","type":"string","default":"random"},"parallelism":{"description":"Trials at the same time.","type":"integer","minimum":1,"default":1},"sample_fraction":{"description":"Share of the training rows that trials see.","type":"number","exclusiveMinimum":0,"maximum":1,"default":1},"early_stop":{"description":"Ends the search when it no longer improves.","type":["object","null"],"additionalProperties":false,"properties":{"patience":{"description":"Trials without improvement.","type":"integer","minimum":1},"min_delta":{"description":"What counts as an improvement.","type":"number","minimum":0},"median":{"description":"Give up trials that are worse than the median of the others.","type":"boolean"}}},"early_stop_fn":{"description":"Function that ends the search (MLflow).","$ref":"#/$defs/text"},"parameters":{"description":"What to search: name to a list of values or a distribution.","type":"object","minProperties":1,"additionalProperties":{"$ref":"#/$defs/searchParameter"}}}},"searchParameter":{"type":"object","properties":{"values":{"description":"Values to choose from.","type":"array","minItems":1},"distribution":{"description":"Name of a distribution.","enum":["uniform","quniform","loguniform","qloguniform","normal","qnormal","lognormal","qlognormal","randint","uniformint","choice"]}}},"evaluate":{"description":"Measures the model on held-out rows and decides whether it may be registered.","type":["object","null"],"additionalProperties":false,"properties":{"validation_criteria":{"description":"Gates that the model must pass.","type":["array","null"],"items":{"$ref":"#/$defs/criterion"}},"slices":{"description":"Parts of the data that are measured on their own: a condition with a name, or a column, whose every value is a slice.","type":["array","null"],"items":{"$ref":"#/$defs/slice"}},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}},"slice":{"type":["object","string"],"additionalProperties":false,"required":["name","where"],"properties":{"name":{"description":"Name of the slice.","$ref":"#/$defs/text"},"where":{"description":"Condition on the columns, as SQL.","$ref":"#/$defs/text"},"min_support":{"description":"Fewest rows for which the slice is judged.","type":"integer","minimum":1}},"minLength":1},"criterion":{"type":"object","additionalProperties":false,"required":["metric"],"properties":{"metric":{"description":"Name of the metric.","$ref":"#/$defs/text"},"threshold":{"description":"Bound in the metric's own direction, inclusive.","type":"number"},"min":{"description":"Least value allowed.","type":"number"},"max":{"description":"Greatest value allowed.","type":"number"},"on":{"description":"Judge the value (the default), or the worse end of its confidence interval.","enum":["value","ci_bound"]},"slice":{"description":"Judge on this slice instead of all rows; `worst` is the worst of them, `column=value` a slice of a column.","$ref":"#/$defs/text"},"compare":{"description":"Judge against the model that serves now.","enum":["champion"]},"max_regression":{"description":"How much worse than the champion the model may be.","type":"number","minimum":0},"min_improvement":{"description":"How much better than the champion the model must be.","type":"number","minimum":0},"paired":{"description":"Judge the difference from the champion by its paired interval; the same as `on: ci_bound`.","type":"boolean"}}},"register":{"description":"Registers the model as a new version.","type":["object","null"],"additionalProperties":false,"properties":{"model_name":{"description":"Name of the registered model.","$ref":"#/$defs/name"},"allow_non_validated_model":{"description":"Register although no gates were set.","type":"boolean","default":false},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}},"deploy":{"description":"Brings the model version to an endpoint.","type":["object","null"],"additionalProperties":false,"properties":{"endpoint":{"description":"Name of the endpoint; default is the model's name.","$ref":"#/$defs/endpointName"},"alias":{"description":"Alias that names what serves.","$ref":"#/$defs/name","default":"production"},"strategy":{"description":"How traffic moves to the new revision.","enum":["canary","shadow","blue_green","direct"],"default":"canary"},"canary_steps":{"description":"Shares of traffic in percent, ascending; for a shadow one, the share that is copied.","type":"array","minItems":1,"items":{"type":"integer","minimum":1,"maximum":100}},"promotion":{"description":"Whether the next step waits for a person.","enum":["manual","automatic"],"default":"manual"},"min_requests":{"description":"Requests to see at each step before it is judged.","type":"integer","minimum":0,"default":50},"max_error_rate":{"description":"Share of failed requests above which the rollout is undone.","type":"number","minimum":0,"maximum":1,"default":0.05},"max_latency_p95_ms":{"description":"95th percentile of the latency in milliseconds above which the rollout is undone.","type":"number","exclusiveMinimum":0},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"},"rollback_on_alert":{"description":"Whether a critical alert during the rollout undoes it.","type":"boolean","default":true}}},"monitor":{"description":"Watches the endpoint for drift, quality and errors.","type":["object","null"],"additionalProperties":false,"properties":{"endpoint":{"description":"Endpoint to watch; default is the one deployed.","$ref":"#/$defs/endpointName"},"window":{"description":"How much traffic is looked at together.","type":["object","null"],"additionalProperties":false,"properties":{"records":{"description":"Predictions in a window.","type":"integer","minimum":1,"default":500},"max_age":{"description":"A window closes after this time at the latest.","$ref":"#/$defs/duration"}}},"drift":{"description":"Drift of features and predictions against the training data.","type":["object","null"],"additionalProperties":false,"properties":{"features":{"description":"Columns to watch; default all.","$ref":"#/$defs/columns"},"false_alarm_rate":{"description":"Chance of an alarm in a window without drift, over all features.","type":"number","exclusiveMinimum":0,"exclusiveMaximum":1,"default":0.01},"tests":{"description":"Tests to use; default by type of column.","type":"array","minItems":1,"uniqueItems":true,"items":{"enum":["psi","jensen_shannon","kolmogorov_smirnov","chi_squared","wasserstein","missing_rate"]}},"min_effect":{"description":"Smallest PSI that counts, however many rows there are.","type":"number","minimum":0,"default":0.1}}},"rules":{"description":"When an alert is raised.","type":["array","null"],"items":{"$ref":"#/$defs/rule"}},"on_drift":{"description":"What drift leads to.","enum":["retrain","alert"],"default":"alert"},"cool_down":{"description":"Least time between two reactions.","$ref":"#/$defs/duration"},"rollback_on_alert":{"description":"Whether an alert during a rollout undoes it.","type":"boolean","default":true},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}},"rule":{"type":"object","additionalProperties":false,"required":["check"],"properties":{"name":{"description":"Name of the rule; default is its check.","$ref":"#/$defs/name"},"check":{"description":"What is watched.","enum":["feature_drift","prediction_drift","missing_rate","data_quality","error_rate","latency_p95_ms","performance"]},"metric":{"description":"Metric of a performance rule.","$ref":"#/$defs/text"},"threshold":{"description":"Bound of the checks that have one.","type":"number"},"severity":{"description":"How serious an alert is.","enum":["warning","critical"],"default":"warning"},"fire_after":{"description":"Windows that must break the rule.","type":"integer","minimum":1,"default":1},"of_windows":{"description":"Among how many of the last windows; default as many as fire_after.","type":"integer","minimum":1}}},"ingestScoring":{"description":"Reads the data to score (MLflow's scoring graph).","type":"object","additionalProperties":false,"required":["using"],"properties":{"using":{"description":"As in ingest.","$ref":"#/$defs/text"},"location":{"$ref":"#/$defs/location"},"sql":{"description":"Query for spark_sql.","$ref":"#/$defs/text"},"loader_method":{"description":"Function in steps/ingest that reads one file.","$ref":"#/$defs/functionName"},"version":{"description":"Version of a Delta table.","type":"integer","minimum":0},"timestamp":{"description":"Time of a Delta table.","type":"string"},"skip_data_profiling":{"$ref":"#/$defs/skipDataProfiling"},"dataset":{"description":"Name of the dataset; default is the project's name with `-scoring`.","$ref":"#/$defs/name"},"csv":{"$ref":"#/$defs/csv"},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}},"predict":{"description":"Scores a batch (MLflow's scoring graph).","type":"object","additionalProperties":false,"required":["output"],"properties":{"output":{"description":"Where predictions go.","type":"object","additionalProperties":false,"required":["using","location"],"properties":{"using":{"description":"Format.","enum":["parquet","delta","table","csv"]},"location":{"description":"Path in the project, or name of a table.","$ref":"#/$defs/text"}}},"model_uri":{"description":"Model to use: `models:/<name>/<version>`, `models:/<name>/latest` or `models:/<name>@<alias>`; default is the latest version of the recipe's model.","$ref":"#/$defs/text"},"result_type":{"description":"Type of the prediction.","type":"string","default":"double"},"save_mode":{"description":"What happens to output that exists.","enum":["default","error","errorifexists","ignore","append","overwrite"],"default":"overwrite"},"skip_data_profiling":{"$ref":"#/$defs/skipDataProfiling"},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"}}},"violation":{"description":"What happens to rows that break a rule: the step fails, the rows are set aside, or a warning.","enum":["block","quarantine","warn"]},"datasetViolation":{"description":"What happens when the dataset breaks the rule.","enum":["block","warn"]},"contract":{"description":"Rules that the data must keep.","type":"object","additionalProperties":false,"properties":{"columns":{"description":"Rules of columns, by name. A rule may be `{value, on_violation}`.","type":"object","additionalProperties":{"$ref":"#/$defs/columnContract"}},"row_count":{"description":"How many rows there must be.","type":"object","additionalProperties":false,"properties":{"min":{"description":"Fewest rows.","type":"integer","minimum":0},"max":{"description":"Most rows.","type":"integer","minimum":0},"on_violation":{"$ref":"#/$defs/datasetViolation"}}},"freshness":{"description":"How old the newest row may be.","type":"object","additionalProperties":false,"required":["column","max_age"],"properties":{"column":{"description":"Column with the time of a row.","$ref":"#/$defs/text"},"max_age":{"$ref":"#/$defs/duration"},"on_violation":{"$ref":"#/$defs/datasetViolation"}}},"constraints":{"description":"Conditions that every row must meet.","type":"array","items":{"type":"object","additionalProperties":false,"required":["expression"],"properties":{"name":{"description":"Name of the condition.","$ref":"#/$defs/name"},"expression":{"description":"Condition on the columns.","$ref":"#/$defs/text"},"on_violation":{"$ref":"#/$defs/violation"}}}},"on_violation":{"$ref":"#/$defs/violation","default":"block"}}},"columnContract":{"type":"object","additionalProperties":false,"properties":{"type":{"description":"Type of the column."},"nullable":{"description":"Whether values may be missing."},"min":{"description":"Least value."},"max":{"description":"Greatest value."},"allowed":{"description":"List of the values allowed."},"pattern":{"description":"Regular expression (RE2) for the whole value."},"unique":{"description":"Whether each value may appear once only."},"required":{"description":"Whether the data must have the column.","type":"boolean","default":true},"on_violation":{"$ref":"#/$defs/violation"}}},"numericRule":{"type":"object","additionalProperties":false,"properties":{"impute":{"description":"What stands for a missing value; or {constant: value}.","type":["string","object"]},"indicator":{"description":"Adds a column that says where values were missing.","type":"boolean"},"scale":{"description":"How numbers are scaled.","enum":["standard","minmax","robust","none"]}}},"categoricalRule":{"type":"object","additionalProperties":false,"properties":{"impute":{"description":"What stands for a missing value; or {constant: value}.","type":["string","object"]},"encode":{"description":"How categories become numbers.","enum":["one_hot","none"]},"max_categories":{"description":"Most columns that one column becomes.","type":"integer","minimum":1}}},"dateRule":{"type":"object","additionalProperties":false,"properties":{"parts":{"description":"Parts of a date that become columns.","type":"array","minItems":1,"items":{"enum":["year","month","day","weekday","hour","minute","day_of_year"]}},"cyclical":{"description":"Whether periodic parts become sine and cosine.","type":"boolean"}}},"endpointName":{"type":"string","pattern":"^[a-z0-9][a-z0-9._-]{0,127}$","x-expect":"1 to 128 lower case letters, digits, `.`, `_` or `-`, beginning with a letter or digit"}}};
const schema32 = {"type":"string","pattern":"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$","x-expect":"1 to 128 letters, digits, `.`, `_` or `-`, beginning with a letter or digit"};
const schema33 = {"type":"string","minLength":1};
const func1 = Object.prototype.hasOwnProperty;
const func2 = require("ajv/dist/runtime/ucs2length").default;
const pattern4 = new RegExp("^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", "u");
const schema35 = {"type":"object","additionalProperties":false,"required":["name","function","greater_is_better"],"properties":{"name":{"description":"Name of the metric.","$ref":"#/$defs/text"},"function":{"description":"Function in steps/custom_metrics that computes it.","$ref":"#/$defs/functionName"},"greater_is_better":{"description":"Direction of the metric.","type":"boolean"}}};
const schema37 = {"type":"string","pattern":"^[A-Za-z_$][A-Za-z0-9_$]*$","x-expect":"the bare name of a function"};
const pattern5 = new RegExp("^[A-Za-z_$][A-Za-z0-9_$]*$", "u");

function validate21(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate21.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.name === undefined){
const err0 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "name"},message:"must have required property '"+"name"+"'",schema:schema35.required,parentSchema:schema35,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data.function === undefined){
const err1 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "function"},message:"must have required property '"+"function"+"'",schema:schema35.required,parentSchema:schema35,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
if(data.greater_is_better === undefined){
const err2 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "greater_is_better"},message:"must have required property '"+"greater_is_better"+"'",schema:schema35.required,parentSchema:schema35,data};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
for(const key0 in data){
if(!(((key0 === "name") || (key0 === "function")) || (key0 === "greater_is_better"))){
const err3 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema35,data};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
if(data.name !== undefined){
let data0 = data.name;
if(typeof data0 === "string"){
if(func2(data0) < 1){
const err4 = {instancePath:instancePath+"/name",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
else {
const err5 = {instancePath:instancePath+"/name",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(data.function !== undefined){
let data1 = data.function;
if(typeof data1 === "string"){
if(!pattern5.test(data1)){
const err6 = {instancePath:instancePath+"/function",schemaPath:"#/$defs/functionName/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z_$][A-Za-z0-9_$]*$"},message:"must match pattern \""+"^[A-Za-z_$][A-Za-z0-9_$]*$"+"\"",schema:"^[A-Za-z_$][A-Za-z0-9_$]*$",parentSchema:schema37,data:data1};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
else {
const err7 = {instancePath:instancePath+"/function",schemaPath:"#/$defs/functionName/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema37.type,parentSchema:schema37,data:data1};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
if(data.greater_is_better !== undefined){
let data2 = data.greater_is_better;
if(typeof data2 !== "boolean"){
const err8 = {instancePath:instancePath+"/greater_is_better",schemaPath:"#/properties/greater_is_better/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema35.properties.greater_is_better.type,parentSchema:schema35.properties.greater_is_better,data:data2};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
}
else {
const err9 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema35.type,parentSchema:schema35,data};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
validate21.errors = vErrors;
return errors === 0;
}
validate21.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema38 = {"description":"Where runs are tracked.","type":["object","null"],"additionalProperties":false,"properties":{"name":{"description":"Name of the experiment.","$ref":"#/$defs/text"},"id":{"description":"Id of the experiment; `name` goes first.","type":["string","integer"]},"tracking_uri":{"description":"Tracking server of MLflow; Millrace tracks itself.","type":"string"},"artifact_location":{"description":"Where MLflow kept artifacts; not used by Millrace.","type":"string"},"tags":{"description":"Tags of MLflow's experiment; not used by Millrace, where runs have tags.","type":["object","null"]},"run_name_prefix":{"description":"Beginning of the names of training runs.","type":"string"}}};

function validate23(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate23.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((!(data && typeof data == "object" && !Array.isArray(data))) && (data !== null)){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema38.type},message:"must be object,null",schema:schema38.type,parentSchema:schema38,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!((((((key0 === "name") || (key0 === "id")) || (key0 === "tracking_uri")) || (key0 === "artifact_location")) || (key0 === "tags")) || (key0 === "run_name_prefix"))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema38,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.name !== undefined){
let data0 = data.name;
if(typeof data0 === "string"){
if(func2(data0) < 1){
const err2 = {instancePath:instancePath+"/name",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
else {
const err3 = {instancePath:instancePath+"/name",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
if(data.id !== undefined){
let data1 = data.id;
if((typeof data1 !== "string") && (!(((typeof data1 == "number") && (!(data1 % 1) && !isNaN(data1))) && (isFinite(data1))))){
const err4 = {instancePath:instancePath+"/id",schemaPath:"#/properties/id/type",keyword:"type",params:{type: schema38.properties.id.type},message:"must be string,integer",schema:schema38.properties.id.type,parentSchema:schema38.properties.id,data:data1};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
if(data.tracking_uri !== undefined){
let data2 = data.tracking_uri;
if(typeof data2 !== "string"){
const err5 = {instancePath:instancePath+"/tracking_uri",schemaPath:"#/properties/tracking_uri/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema38.properties.tracking_uri.type,parentSchema:schema38.properties.tracking_uri,data:data2};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(data.artifact_location !== undefined){
let data3 = data.artifact_location;
if(typeof data3 !== "string"){
const err6 = {instancePath:instancePath+"/artifact_location",schemaPath:"#/properties/artifact_location/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema38.properties.artifact_location.type,parentSchema:schema38.properties.artifact_location,data:data3};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
if(data.tags !== undefined){
let data4 = data.tags;
if((!(data4 && typeof data4 == "object" && !Array.isArray(data4))) && (data4 !== null)){
const err7 = {instancePath:instancePath+"/tags",schemaPath:"#/properties/tags/type",keyword:"type",params:{type: schema38.properties.tags.type},message:"must be object,null",schema:schema38.properties.tags.type,parentSchema:schema38.properties.tags,data:data4};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
if(data.run_name_prefix !== undefined){
let data5 = data.run_name_prefix;
if(typeof data5 !== "string"){
const err8 = {instancePath:instancePath+"/run_name_prefix",schemaPath:"#/properties/run_name_prefix/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema38.properties.run_name_prefix.type,parentSchema:schema38.properties.run_name_prefix,data:data5};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
}
validate23.errors = vErrors;
return errors === 0;
}
validate23.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema40 = {"description":"Where model versions are registered.","type":["object","null"],"additionalProperties":false,"properties":{"model_name":{"description":"Name of the registered model.","$ref":"#/$defs/name"},"registry_uri":{"description":"Registry of MLflow; Millrace registers itself.","type":"string"}}};

function validate25(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate25.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((!(data && typeof data == "object" && !Array.isArray(data))) && (data !== null)){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema40.type},message:"must be object,null",schema:schema40.type,parentSchema:schema40,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!((key0 === "model_name") || (key0 === "registry_uri"))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema40,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.model_name !== undefined){
let data0 = data.model_name;
if(typeof data0 === "string"){
if(!pattern4.test(data0)){
const err2 = {instancePath:instancePath+"/model_name",schemaPath:"#/$defs/name/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"+"\"",schema:"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",parentSchema:schema32,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
else {
const err3 = {instancePath:instancePath+"/model_name",schemaPath:"#/$defs/name/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema32.type,parentSchema:schema32,data:data0};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
if(data.registry_uri !== undefined){
let data1 = data.registry_uri;
if(typeof data1 !== "string"){
const err4 = {instancePath:instancePath+"/registry_uri",schemaPath:"#/properties/registry_uri/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema40.properties.registry_uri.type,parentSchema:schema40.properties.registry_uri,data:data1};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
}
validate25.errors = vErrors;
return errors === 0;
}
validate25.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema42 = {"description":"Reads the data into an immutable dataset version.","type":"object","additionalProperties":false,"required":["using"],"properties":{"using":{"description":"Format: parquet, csv, jsonl, delta, spark_sql, custom, or a file extension that the loader reads.","$ref":"#/$defs/text"},"location":{"$ref":"#/$defs/location"},"sql":{"description":"Query for spark_sql.","$ref":"#/$defs/text"},"loader_method":{"description":"Function in steps/ingest that reads one file.","$ref":"#/$defs/functionName"},"version":{"description":"Version of a Delta table.","type":"integer","minimum":0},"timestamp":{"description":"Time of a Delta table.","type":"string"},"dataset":{"description":"Name of the dataset; default is the project's name.","$ref":"#/$defs/name"},"csv":{"$ref":"#/$defs/csv"},"contract":{"description":"What the data must be like: a mapping, or the path of a YAML or JSON file in the project.","if":{"type":"string"},"then":{"minLength":1},"else":{"$ref":"#/$defs/contract"}},"skip_data_profiling":{"$ref":"#/$defs/skipDataProfiling"},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}};
const schema49 = {"description":"How CSV files are written; found out where left away.","type":["object","null"],"additionalProperties":false,"properties":{"delimiter":{"description":"Character between fields.","type":"string"},"quote":{"description":"Character around fields.","type":"string"},"header":{"description":"Whether the first line names the columns.","type":"boolean"},"encoding":{"description":"Encoding of the text.","type":"string"},"missing_values":{"description":"Texts that stand for a missing value.","type":"array","items":{"type":"string"}}}};
const schema61 = {"description":"Leave the data profile out of the step's card.","type":"boolean","default":false};
const schema55 = {"description":"A number of seconds, or a number with unit: 500ms, 90s, 15m, 2h, 7d.","type":["string","number"],"exclusiveMinimum":0,"pattern":"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$","x-expect":"a duration such as 90s, 15m, 2h or 7d"};
const schema63 = {"description":"How often a step is tried again after an error that may pass.","type":"integer","minimum":0,"maximum":20,"default":2};
const schema44 = {"description":"A path in the project, a glob, or an address; or a list of them.","type":["string","array"],"minLength":1,"minItems":1,"items":{"$ref":"#/$defs/text"}};

function validate28(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate28.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((typeof data !== "string") && (!(Array.isArray(data)))){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema44.type},message:"must be string,array",schema:schema44.type,parentSchema:schema44,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(typeof data === "string"){
if(func2(data) < 1){
const err1 = {instancePath,schemaPath:"#/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema44,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(Array.isArray(data)){
if(data.length < 1){
const err2 = {instancePath,schemaPath:"#/minItems",keyword:"minItems",params:{limit: 1},message:"must NOT have fewer than 1 items",schema:1,parentSchema:schema44,data};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
const len0 = data.length;
for(let i0=0; i0<len0; i0++){
let data0 = data[i0];
if(typeof data0 === "string"){
if(func2(data0) < 1){
const err3 = {instancePath:instancePath+"/" + i0,schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
else {
const err4 = {instancePath:instancePath+"/" + i0,schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
}
validate28.errors = vErrors;
return errors === 0;
}
validate28.evaluated = {"items":true,"dynamicProps":false,"dynamicItems":false};

const schema50 = {"description":"Rules that the data must keep.","type":"object","additionalProperties":false,"properties":{"columns":{"description":"Rules of columns, by name. A rule may be `{value, on_violation}`.","type":"object","additionalProperties":{"$ref":"#/$defs/columnContract"}},"row_count":{"description":"How many rows there must be.","type":"object","additionalProperties":false,"properties":{"min":{"description":"Fewest rows.","type":"integer","minimum":0},"max":{"description":"Most rows.","type":"integer","minimum":0},"on_violation":{"$ref":"#/$defs/datasetViolation"}}},"freshness":{"description":"How old the newest row may be.","type":"object","additionalProperties":false,"required":["column","max_age"],"properties":{"column":{"description":"Column with the time of a row.","$ref":"#/$defs/text"},"max_age":{"$ref":"#/$defs/duration"},"on_violation":{"$ref":"#/$defs/datasetViolation"}}},"constraints":{"description":"Conditions that every row must meet.","type":"array","items":{"type":"object","additionalProperties":false,"required":["expression"],"properties":{"name":{"description":"Name of the condition.","$ref":"#/$defs/name"},"expression":{"description":"Condition on the columns.","$ref":"#/$defs/text"},"on_violation":{"$ref":"#/$defs/violation"}}}},"on_violation":{"$ref":"#/$defs/violation","default":"block"}}};
const schema53 = {"description":"What happens when the dataset breaks the rule.","enum":["block","warn"]};
const schema52 = {"description":"What happens to rows that break a rule: the step fails, the rows are set aside, or a warning.","enum":["block","quarantine","warn"]};
const schema51 = {"type":"object","additionalProperties":false,"properties":{"type":{"description":"Type of the column."},"nullable":{"description":"Whether values may be missing."},"min":{"description":"Least value."},"max":{"description":"Greatest value."},"allowed":{"description":"List of the values allowed."},"pattern":{"description":"Regular expression (RE2) for the whole value."},"unique":{"description":"Whether each value may appear once only."},"required":{"description":"Whether the data must have the column.","type":"boolean","default":true},"on_violation":{"$ref":"#/$defs/violation"}}};

function validate31(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate31.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!(func1.call(schema51.properties, key0))){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema51,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
if(data.required !== undefined){
let data0 = data.required;
if(typeof data0 !== "boolean"){
const err1 = {instancePath:instancePath+"/required",schemaPath:"#/properties/required/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema51.properties.required.type,parentSchema:schema51.properties.required,data:data0};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.on_violation !== undefined){
let data1 = data.on_violation;
if(!(((data1 === "block") || (data1 === "quarantine")) || (data1 === "warn"))){
const err2 = {instancePath:instancePath+"/on_violation",schemaPath:"#/$defs/violation/enum",keyword:"enum",params:{allowedValues: schema52.enum},message:"must be equal to one of the allowed values",schema:schema52.enum,parentSchema:schema52,data:data1};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
}
else {
const err3 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema51.type,parentSchema:schema51,data};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
validate31.errors = vErrors;
return errors === 0;
}
validate31.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const pattern9 = new RegExp("^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$", "u");

function validate30(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate30.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!(((((key0 === "columns") || (key0 === "row_count")) || (key0 === "freshness")) || (key0 === "constraints")) || (key0 === "on_violation"))){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema50,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
if(data.columns !== undefined){
let data0 = data.columns;
if(data0 && typeof data0 == "object" && !Array.isArray(data0)){
for(const key1 in data0){
if(!(validate31(data0[key1], {instancePath:instancePath+"/columns/" + key1.replace(/~/g, "~0").replace(/\//g, "~1"),parentData:data0,parentDataProperty:key1,rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate31.errors : vErrors.concat(validate31.errors);
errors = vErrors.length;
}
}
}
else {
const err1 = {instancePath:instancePath+"/columns",schemaPath:"#/properties/columns/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema50.properties.columns.type,parentSchema:schema50.properties.columns,data:data0};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.row_count !== undefined){
let data2 = data.row_count;
if(data2 && typeof data2 == "object" && !Array.isArray(data2)){
for(const key2 in data2){
if(!(((key2 === "min") || (key2 === "max")) || (key2 === "on_violation"))){
const err2 = {instancePath:instancePath+"/row_count",schemaPath:"#/properties/row_count/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key2},message:"must NOT have additional properties",schema:false,parentSchema:schema50.properties.row_count,data:data2};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
if(data2.min !== undefined){
let data3 = data2.min;
if(!(((typeof data3 == "number") && (!(data3 % 1) && !isNaN(data3))) && (isFinite(data3)))){
const err3 = {instancePath:instancePath+"/row_count/min",schemaPath:"#/properties/row_count/properties/min/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema50.properties.row_count.properties.min.type,parentSchema:schema50.properties.row_count.properties.min,data:data3};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
if((typeof data3 == "number") && (isFinite(data3))){
if(data3 < 0 || isNaN(data3)){
const err4 = {instancePath:instancePath+"/row_count/min",schemaPath:"#/properties/row_count/properties/min/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema50.properties.row_count.properties.min,data:data3};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
}
if(data2.max !== undefined){
let data4 = data2.max;
if(!(((typeof data4 == "number") && (!(data4 % 1) && !isNaN(data4))) && (isFinite(data4)))){
const err5 = {instancePath:instancePath+"/row_count/max",schemaPath:"#/properties/row_count/properties/max/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema50.properties.row_count.properties.max.type,parentSchema:schema50.properties.row_count.properties.max,data:data4};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 < 0 || isNaN(data4)){
const err6 = {instancePath:instancePath+"/row_count/max",schemaPath:"#/properties/row_count/properties/max/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema50.properties.row_count.properties.max,data:data4};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
}
if(data2.on_violation !== undefined){
let data5 = data2.on_violation;
if(!((data5 === "block") || (data5 === "warn"))){
const err7 = {instancePath:instancePath+"/row_count/on_violation",schemaPath:"#/$defs/datasetViolation/enum",keyword:"enum",params:{allowedValues: schema53.enum},message:"must be equal to one of the allowed values",schema:schema53.enum,parentSchema:schema53,data:data5};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
}
else {
const err8 = {instancePath:instancePath+"/row_count",schemaPath:"#/properties/row_count/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema50.properties.row_count.type,parentSchema:schema50.properties.row_count,data:data2};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
if(data.freshness !== undefined){
let data6 = data.freshness;
if(data6 && typeof data6 == "object" && !Array.isArray(data6)){
if(data6.column === undefined){
const err9 = {instancePath:instancePath+"/freshness",schemaPath:"#/properties/freshness/required",keyword:"required",params:{missingProperty: "column"},message:"must have required property '"+"column"+"'",schema:schema50.properties.freshness.required,parentSchema:schema50.properties.freshness,data:data6};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
if(data6.max_age === undefined){
const err10 = {instancePath:instancePath+"/freshness",schemaPath:"#/properties/freshness/required",keyword:"required",params:{missingProperty: "max_age"},message:"must have required property '"+"max_age"+"'",schema:schema50.properties.freshness.required,parentSchema:schema50.properties.freshness,data:data6};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
for(const key3 in data6){
if(!(((key3 === "column") || (key3 === "max_age")) || (key3 === "on_violation"))){
const err11 = {instancePath:instancePath+"/freshness",schemaPath:"#/properties/freshness/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key3},message:"must NOT have additional properties",schema:false,parentSchema:schema50.properties.freshness,data:data6};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
if(data6.column !== undefined){
let data7 = data6.column;
if(typeof data7 === "string"){
if(func2(data7) < 1){
const err12 = {instancePath:instancePath+"/freshness/column",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data7};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
else {
const err13 = {instancePath:instancePath+"/freshness/column",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data7};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
}
if(data6.max_age !== undefined){
let data8 = data6.max_age;
if((typeof data8 !== "string") && (!((typeof data8 == "number") && (isFinite(data8))))){
const err14 = {instancePath:instancePath+"/freshness/max_age",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data8};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
if((typeof data8 == "number") && (isFinite(data8))){
if(data8 <= 0 || isNaN(data8)){
const err15 = {instancePath:instancePath+"/freshness/max_age",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data8};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
if(typeof data8 === "string"){
if(!pattern9.test(data8)){
const err16 = {instancePath:instancePath+"/freshness/max_age",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data8};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
}
}
if(data6.on_violation !== undefined){
let data9 = data6.on_violation;
if(!((data9 === "block") || (data9 === "warn"))){
const err17 = {instancePath:instancePath+"/freshness/on_violation",schemaPath:"#/$defs/datasetViolation/enum",keyword:"enum",params:{allowedValues: schema53.enum},message:"must be equal to one of the allowed values",schema:schema53.enum,parentSchema:schema53,data:data9};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
}
}
else {
const err18 = {instancePath:instancePath+"/freshness",schemaPath:"#/properties/freshness/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema50.properties.freshness.type,parentSchema:schema50.properties.freshness,data:data6};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
}
if(data.constraints !== undefined){
let data10 = data.constraints;
if(Array.isArray(data10)){
const len0 = data10.length;
for(let i0=0; i0<len0; i0++){
let data11 = data10[i0];
if(data11 && typeof data11 == "object" && !Array.isArray(data11)){
if(data11.expression === undefined){
const err19 = {instancePath:instancePath+"/constraints/" + i0,schemaPath:"#/properties/constraints/items/required",keyword:"required",params:{missingProperty: "expression"},message:"must have required property '"+"expression"+"'",schema:schema50.properties.constraints.items.required,parentSchema:schema50.properties.constraints.items,data:data11};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
for(const key4 in data11){
if(!(((key4 === "name") || (key4 === "expression")) || (key4 === "on_violation"))){
const err20 = {instancePath:instancePath+"/constraints/" + i0,schemaPath:"#/properties/constraints/items/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key4},message:"must NOT have additional properties",schema:false,parentSchema:schema50.properties.constraints.items,data:data11};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
}
if(data11.name !== undefined){
let data12 = data11.name;
if(typeof data12 === "string"){
if(!pattern4.test(data12)){
const err21 = {instancePath:instancePath+"/constraints/" + i0+"/name",schemaPath:"#/$defs/name/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"+"\"",schema:"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",parentSchema:schema32,data:data12};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
}
else {
const err22 = {instancePath:instancePath+"/constraints/" + i0+"/name",schemaPath:"#/$defs/name/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema32.type,parentSchema:schema32,data:data12};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
}
if(data11.expression !== undefined){
let data13 = data11.expression;
if(typeof data13 === "string"){
if(func2(data13) < 1){
const err23 = {instancePath:instancePath+"/constraints/" + i0+"/expression",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data13};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
}
else {
const err24 = {instancePath:instancePath+"/constraints/" + i0+"/expression",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data13};
if(vErrors === null){
vErrors = [err24];
}
else {
vErrors.push(err24);
}
errors++;
}
}
if(data11.on_violation !== undefined){
let data14 = data11.on_violation;
if(!(((data14 === "block") || (data14 === "quarantine")) || (data14 === "warn"))){
const err25 = {instancePath:instancePath+"/constraints/" + i0+"/on_violation",schemaPath:"#/$defs/violation/enum",keyword:"enum",params:{allowedValues: schema52.enum},message:"must be equal to one of the allowed values",schema:schema52.enum,parentSchema:schema52,data:data14};
if(vErrors === null){
vErrors = [err25];
}
else {
vErrors.push(err25);
}
errors++;
}
}
}
else {
const err26 = {instancePath:instancePath+"/constraints/" + i0,schemaPath:"#/properties/constraints/items/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema50.properties.constraints.items.type,parentSchema:schema50.properties.constraints.items,data:data11};
if(vErrors === null){
vErrors = [err26];
}
else {
vErrors.push(err26);
}
errors++;
}
}
}
else {
const err27 = {instancePath:instancePath+"/constraints",schemaPath:"#/properties/constraints/type",keyword:"type",params:{type: "array"},message:"must be array",schema:schema50.properties.constraints.type,parentSchema:schema50.properties.constraints,data:data10};
if(vErrors === null){
vErrors = [err27];
}
else {
vErrors.push(err27);
}
errors++;
}
}
if(data.on_violation !== undefined){
let data15 = data.on_violation;
if(!(((data15 === "block") || (data15 === "quarantine")) || (data15 === "warn"))){
const err28 = {instancePath:instancePath+"/on_violation",schemaPath:"#/$defs/violation/enum",keyword:"enum",params:{allowedValues: schema52.enum},message:"must be equal to one of the allowed values",schema:schema52.enum,parentSchema:schema52,data:data15};
if(vErrors === null){
vErrors = [err28];
}
else {
vErrors.push(err28);
}
errors++;
}
}
}
else {
const err29 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema50.type,parentSchema:schema50,data};
if(vErrors === null){
vErrors = [err29];
}
else {
vErrors.push(err29);
}
errors++;
}
validate30.errors = vErrors;
return errors === 0;
}
validate30.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema64 = {"description":"Whether and how long a finished step's outputs are reused when nothing that it depends on changed.","type":["object","null"],"additionalProperties":false,"properties":{"enabled":{"description":"Whether outputs are reused at all.","type":"boolean","default":true},"ttl":{"description":"Outputs older than this are not reused.","$ref":"#/$defs/duration"}}};

function validate34(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate34.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((!(data && typeof data == "object" && !Array.isArray(data))) && (data !== null)){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema64.type},message:"must be object,null",schema:schema64.type,parentSchema:schema64,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!((key0 === "enabled") || (key0 === "ttl"))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema64,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.enabled !== undefined){
let data0 = data.enabled;
if(typeof data0 !== "boolean"){
const err2 = {instancePath:instancePath+"/enabled",schemaPath:"#/properties/enabled/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema64.properties.enabled.type,parentSchema:schema64.properties.enabled,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
if(data.ttl !== undefined){
let data1 = data.ttl;
if((typeof data1 !== "string") && (!((typeof data1 == "number") && (isFinite(data1))))){
const err3 = {instancePath:instancePath+"/ttl",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data1};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
if((typeof data1 == "number") && (isFinite(data1))){
if(data1 <= 0 || isNaN(data1)){
const err4 = {instancePath:instancePath+"/ttl",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data1};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
if(typeof data1 === "string"){
if(!pattern9.test(data1)){
const err5 = {instancePath:instancePath+"/ttl",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data1};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
}
}
validate34.errors = vErrors;
return errors === 0;
}
validate34.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};


function validate27(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate27.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.using === undefined){
const err0 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "using"},message:"must have required property '"+"using"+"'",schema:schema42.required,parentSchema:schema42,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
for(const key0 in data){
if(!(func1.call(schema42.properties, key0))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema42,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.using !== undefined){
let data0 = data.using;
if(typeof data0 === "string"){
if(func2(data0) < 1){
const err2 = {instancePath:instancePath+"/using",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
else {
const err3 = {instancePath:instancePath+"/using",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
if(data.location !== undefined){
if(!(validate28(data.location, {instancePath:instancePath+"/location",parentData:data,parentDataProperty:"location",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate28.errors : vErrors.concat(validate28.errors);
errors = vErrors.length;
}
}
if(data.sql !== undefined){
let data2 = data.sql;
if(typeof data2 === "string"){
if(func2(data2) < 1){
const err4 = {instancePath:instancePath+"/sql",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data2};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
else {
const err5 = {instancePath:instancePath+"/sql",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data2};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(data.loader_method !== undefined){
let data3 = data.loader_method;
if(typeof data3 === "string"){
if(!pattern5.test(data3)){
const err6 = {instancePath:instancePath+"/loader_method",schemaPath:"#/$defs/functionName/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z_$][A-Za-z0-9_$]*$"},message:"must match pattern \""+"^[A-Za-z_$][A-Za-z0-9_$]*$"+"\"",schema:"^[A-Za-z_$][A-Za-z0-9_$]*$",parentSchema:schema37,data:data3};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
else {
const err7 = {instancePath:instancePath+"/loader_method",schemaPath:"#/$defs/functionName/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema37.type,parentSchema:schema37,data:data3};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
if(data.version !== undefined){
let data4 = data.version;
if(!(((typeof data4 == "number") && (!(data4 % 1) && !isNaN(data4))) && (isFinite(data4)))){
const err8 = {instancePath:instancePath+"/version",schemaPath:"#/properties/version/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema42.properties.version.type,parentSchema:schema42.properties.version,data:data4};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 < 0 || isNaN(data4)){
const err9 = {instancePath:instancePath+"/version",schemaPath:"#/properties/version/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema42.properties.version,data:data4};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
}
if(data.timestamp !== undefined){
let data5 = data.timestamp;
if(typeof data5 !== "string"){
const err10 = {instancePath:instancePath+"/timestamp",schemaPath:"#/properties/timestamp/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema42.properties.timestamp.type,parentSchema:schema42.properties.timestamp,data:data5};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
if(data.dataset !== undefined){
let data6 = data.dataset;
if(typeof data6 === "string"){
if(!pattern4.test(data6)){
const err11 = {instancePath:instancePath+"/dataset",schemaPath:"#/$defs/name/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"+"\"",schema:"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",parentSchema:schema32,data:data6};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
else {
const err12 = {instancePath:instancePath+"/dataset",schemaPath:"#/$defs/name/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema32.type,parentSchema:schema32,data:data6};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
if(data.csv !== undefined){
let data7 = data.csv;
if((!(data7 && typeof data7 == "object" && !Array.isArray(data7))) && (data7 !== null)){
const err13 = {instancePath:instancePath+"/csv",schemaPath:"#/$defs/csv/type",keyword:"type",params:{type: schema49.type},message:"must be object,null",schema:schema49.type,parentSchema:schema49,data:data7};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
if(data7 && typeof data7 == "object" && !Array.isArray(data7)){
for(const key1 in data7){
if(!(((((key1 === "delimiter") || (key1 === "quote")) || (key1 === "header")) || (key1 === "encoding")) || (key1 === "missing_values"))){
const err14 = {instancePath:instancePath+"/csv",schemaPath:"#/$defs/csv/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key1},message:"must NOT have additional properties",schema:false,parentSchema:schema49,data:data7};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
}
if(data7.delimiter !== undefined){
let data8 = data7.delimiter;
if(typeof data8 !== "string"){
const err15 = {instancePath:instancePath+"/csv/delimiter",schemaPath:"#/$defs/csv/properties/delimiter/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema49.properties.delimiter.type,parentSchema:schema49.properties.delimiter,data:data8};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
if(data7.quote !== undefined){
let data9 = data7.quote;
if(typeof data9 !== "string"){
const err16 = {instancePath:instancePath+"/csv/quote",schemaPath:"#/$defs/csv/properties/quote/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema49.properties.quote.type,parentSchema:schema49.properties.quote,data:data9};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
}
if(data7.header !== undefined){
let data10 = data7.header;
if(typeof data10 !== "boolean"){
const err17 = {instancePath:instancePath+"/csv/header",schemaPath:"#/$defs/csv/properties/header/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema49.properties.header.type,parentSchema:schema49.properties.header,data:data10};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
}
if(data7.encoding !== undefined){
let data11 = data7.encoding;
if(typeof data11 !== "string"){
const err18 = {instancePath:instancePath+"/csv/encoding",schemaPath:"#/$defs/csv/properties/encoding/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema49.properties.encoding.type,parentSchema:schema49.properties.encoding,data:data11};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
}
if(data7.missing_values !== undefined){
let data12 = data7.missing_values;
if(Array.isArray(data12)){
const len0 = data12.length;
for(let i0=0; i0<len0; i0++){
let data13 = data12[i0];
if(typeof data13 !== "string"){
const err19 = {instancePath:instancePath+"/csv/missing_values/" + i0,schemaPath:"#/$defs/csv/properties/missing_values/items/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema49.properties.missing_values.items.type,parentSchema:schema49.properties.missing_values.items,data:data13};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
}
else {
const err20 = {instancePath:instancePath+"/csv/missing_values",schemaPath:"#/$defs/csv/properties/missing_values/type",keyword:"type",params:{type: "array"},message:"must be array",schema:schema49.properties.missing_values.type,parentSchema:schema49.properties.missing_values,data:data12};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
}
}
}
if(data.contract !== undefined){
let data14 = data.contract;
const _errs38 = errors;
let valid9 = true;
const _errs39 = errors;
if(typeof data14 !== "string"){
const err21 = {};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
var _valid0 = _errs39 === errors;
errors = _errs38;
if(vErrors !== null){
if(_errs38){
vErrors.length = _errs38;
}
else {
vErrors = null;
}
}
let ifClause0;
if(_valid0){
const _errs41 = errors;
if(typeof data14 === "string"){
if(func2(data14) < 1){
const err22 = {instancePath:instancePath+"/contract",schemaPath:"#/properties/contract/then/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema42.properties.contract.then,data:data14};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
}
var _valid0 = _errs41 === errors;
valid9 = _valid0;
ifClause0 = "then";
}
else {
const _errs42 = errors;
if(!(validate30(data14, {instancePath:instancePath+"/contract",parentData:data,parentDataProperty:"contract",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate30.errors : vErrors.concat(validate30.errors);
errors = vErrors.length;
}
var _valid0 = _errs42 === errors;
valid9 = _valid0;
ifClause0 = "else";
}
if(!valid9){
const err23 = {instancePath:instancePath+"/contract",schemaPath:"#/properties/contract/if",keyword:"if",params:{failingKeyword: ifClause0},message:"must match \""+ifClause0+"\" schema",schema:schema42.properties.contract.if,parentSchema:schema42.properties.contract,data:data14};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
}
if(data.skip_data_profiling !== undefined){
let data15 = data.skip_data_profiling;
if(typeof data15 !== "boolean"){
const err24 = {instancePath:instancePath+"/skip_data_profiling",schemaPath:"#/$defs/skipDataProfiling/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema61.type,parentSchema:schema61,data:data15};
if(vErrors === null){
vErrors = [err24];
}
else {
vErrors.push(err24);
}
errors++;
}
}
if(data.timeout !== undefined){
let data16 = data.timeout;
if((typeof data16 !== "string") && (!((typeof data16 == "number") && (isFinite(data16))))){
const err25 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data16};
if(vErrors === null){
vErrors = [err25];
}
else {
vErrors.push(err25);
}
errors++;
}
if((typeof data16 == "number") && (isFinite(data16))){
if(data16 <= 0 || isNaN(data16)){
const err26 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data16};
if(vErrors === null){
vErrors = [err26];
}
else {
vErrors.push(err26);
}
errors++;
}
}
if(typeof data16 === "string"){
if(!pattern9.test(data16)){
const err27 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data16};
if(vErrors === null){
vErrors = [err27];
}
else {
vErrors.push(err27);
}
errors++;
}
}
}
if(data.retries !== undefined){
let data17 = data.retries;
if(!(((typeof data17 == "number") && (!(data17 % 1) && !isNaN(data17))) && (isFinite(data17)))){
const err28 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema63.type,parentSchema:schema63,data:data17};
if(vErrors === null){
vErrors = [err28];
}
else {
vErrors.push(err28);
}
errors++;
}
if((typeof data17 == "number") && (isFinite(data17))){
if(data17 > 20 || isNaN(data17)){
const err29 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/maximum",keyword:"maximum",params:{comparison: "<=", limit: 20},message:"must be <= 20",schema:20,parentSchema:schema63,data:data17};
if(vErrors === null){
vErrors = [err29];
}
else {
vErrors.push(err29);
}
errors++;
}
if(data17 < 0 || isNaN(data17)){
const err30 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema63,data:data17};
if(vErrors === null){
vErrors = [err30];
}
else {
vErrors.push(err30);
}
errors++;
}
}
}
if(data.cache !== undefined){
if(!(validate34(data.cache, {instancePath:instancePath+"/cache",parentData:data,parentDataProperty:"cache",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate34.errors : vErrors.concat(validate34.errors);
errors = vErrors.length;
}
}
}
else {
const err31 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema42.type,parentSchema:schema42,data};
if(vErrors === null){
vErrors = [err31];
}
else {
vErrors.push(err31);
}
errors++;
}
validate27.errors = vErrors;
return errors === 0;
}
validate27.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema66 = {"description":"Divides the data into training, validation and test rows.","type":["object","null"],"additionalProperties":false,"properties":{"using":{"description":"By ratios, or by a function.","enum":["split_ratios","custom"],"default":"split_ratios"},"split_ratios":{"description":"Shares of training, validation and test rows; normalised by their sum.","type":"array","minItems":3,"maxItems":3,"items":{"type":"number","exclusiveMinimum":0},"default":[0.75,0.125,0.125]},"split_method":{"description":"Function in steps/split that names the split of each row.","$ref":"#/$defs/functionName"},"post_split_filter_method":{"description":"Function in steps/split that says which training rows to keep.","$ref":"#/$defs/functionName"},"post_split_method":{"description":"Function in steps/split that changes the three splits.","$ref":"#/$defs/functionName"},"key_columns":{"description":"Rows with equal values here stay in one split.","$ref":"#/$defs/columns"},"time_column":{"description":"Split by time: the oldest rows train, the newest test.","$ref":"#/$defs/text"},"leak_check":{"description":"What happens when equal rows are in two splits.","enum":["off","warn","block"],"default":"warn"},"skip_data_profiling":{"$ref":"#/$defs/skipDataProfiling"},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}};
const schema70 = {"type":"array","minItems":1,"uniqueItems":true,"items":{"$ref":"#/$defs/text"}};
const func0 = require("ajv/dist/runtime/equal").default;

function validate38(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate38.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(Array.isArray(data)){
if(data.length < 1){
const err0 = {instancePath,schemaPath:"#/minItems",keyword:"minItems",params:{limit: 1},message:"must NOT have fewer than 1 items",schema:1,parentSchema:schema70,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
const len0 = data.length;
for(let i0=0; i0<len0; i0++){
let data0 = data[i0];
if(typeof data0 === "string"){
if(func2(data0) < 1){
const err1 = {instancePath:instancePath+"/" + i0,schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
else {
const err2 = {instancePath:instancePath+"/" + i0,schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
let i1 = data.length;
let j0;
if(i1 > 1){
outer0:
for(;i1--;){
for(j0 = i1; j0--;){
if(func0(data[i1], data[j0])){
const err3 = {instancePath,schemaPath:"#/uniqueItems",keyword:"uniqueItems",params:{i: i1, j: j0},message:"must NOT have duplicate items (items ## "+j0+" and "+i1+" are identical)",schema:true,parentSchema:schema70,data};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
break outer0;
}
}
}
}
}
else {
const err4 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "array"},message:"must be array",schema:schema70.type,parentSchema:schema70,data};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
validate38.errors = vErrors;
return errors === 0;
}
validate38.evaluated = {"items":true,"dynamicProps":false,"dynamicItems":false};


function validate37(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate37.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((!(data && typeof data == "object" && !Array.isArray(data))) && (data !== null)){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema66.type},message:"must be object,null",schema:schema66.type,parentSchema:schema66,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!(func1.call(schema66.properties, key0))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema66,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.using !== undefined){
let data0 = data.using;
if(!((data0 === "split_ratios") || (data0 === "custom"))){
const err2 = {instancePath:instancePath+"/using",schemaPath:"#/properties/using/enum",keyword:"enum",params:{allowedValues: schema66.properties.using.enum},message:"must be equal to one of the allowed values",schema:schema66.properties.using.enum,parentSchema:schema66.properties.using,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
if(data.split_ratios !== undefined){
let data1 = data.split_ratios;
if(Array.isArray(data1)){
if(data1.length > 3){
const err3 = {instancePath:instancePath+"/split_ratios",schemaPath:"#/properties/split_ratios/maxItems",keyword:"maxItems",params:{limit: 3},message:"must NOT have more than 3 items",schema:3,parentSchema:schema66.properties.split_ratios,data:data1};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
if(data1.length < 3){
const err4 = {instancePath:instancePath+"/split_ratios",schemaPath:"#/properties/split_ratios/minItems",keyword:"minItems",params:{limit: 3},message:"must NOT have fewer than 3 items",schema:3,parentSchema:schema66.properties.split_ratios,data:data1};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
const len0 = data1.length;
for(let i0=0; i0<len0; i0++){
let data2 = data1[i0];
if((typeof data2 == "number") && (isFinite(data2))){
if(data2 <= 0 || isNaN(data2)){
const err5 = {instancePath:instancePath+"/split_ratios/" + i0,schemaPath:"#/properties/split_ratios/items/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema66.properties.split_ratios.items,data:data2};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
else {
const err6 = {instancePath:instancePath+"/split_ratios/" + i0,schemaPath:"#/properties/split_ratios/items/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema66.properties.split_ratios.items.type,parentSchema:schema66.properties.split_ratios.items,data:data2};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
}
else {
const err7 = {instancePath:instancePath+"/split_ratios",schemaPath:"#/properties/split_ratios/type",keyword:"type",params:{type: "array"},message:"must be array",schema:schema66.properties.split_ratios.type,parentSchema:schema66.properties.split_ratios,data:data1};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
if(data.split_method !== undefined){
let data3 = data.split_method;
if(typeof data3 === "string"){
if(!pattern5.test(data3)){
const err8 = {instancePath:instancePath+"/split_method",schemaPath:"#/$defs/functionName/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z_$][A-Za-z0-9_$]*$"},message:"must match pattern \""+"^[A-Za-z_$][A-Za-z0-9_$]*$"+"\"",schema:"^[A-Za-z_$][A-Za-z0-9_$]*$",parentSchema:schema37,data:data3};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
else {
const err9 = {instancePath:instancePath+"/split_method",schemaPath:"#/$defs/functionName/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema37.type,parentSchema:schema37,data:data3};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
if(data.post_split_filter_method !== undefined){
let data4 = data.post_split_filter_method;
if(typeof data4 === "string"){
if(!pattern5.test(data4)){
const err10 = {instancePath:instancePath+"/post_split_filter_method",schemaPath:"#/$defs/functionName/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z_$][A-Za-z0-9_$]*$"},message:"must match pattern \""+"^[A-Za-z_$][A-Za-z0-9_$]*$"+"\"",schema:"^[A-Za-z_$][A-Za-z0-9_$]*$",parentSchema:schema37,data:data4};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
else {
const err11 = {instancePath:instancePath+"/post_split_filter_method",schemaPath:"#/$defs/functionName/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema37.type,parentSchema:schema37,data:data4};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
if(data.post_split_method !== undefined){
let data5 = data.post_split_method;
if(typeof data5 === "string"){
if(!pattern5.test(data5)){
const err12 = {instancePath:instancePath+"/post_split_method",schemaPath:"#/$defs/functionName/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z_$][A-Za-z0-9_$]*$"},message:"must match pattern \""+"^[A-Za-z_$][A-Za-z0-9_$]*$"+"\"",schema:"^[A-Za-z_$][A-Za-z0-9_$]*$",parentSchema:schema37,data:data5};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
else {
const err13 = {instancePath:instancePath+"/post_split_method",schemaPath:"#/$defs/functionName/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema37.type,parentSchema:schema37,data:data5};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
}
if(data.key_columns !== undefined){
if(!(validate38(data.key_columns, {instancePath:instancePath+"/key_columns",parentData:data,parentDataProperty:"key_columns",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate38.errors : vErrors.concat(validate38.errors);
errors = vErrors.length;
}
}
if(data.time_column !== undefined){
let data7 = data.time_column;
if(typeof data7 === "string"){
if(func2(data7) < 1){
const err14 = {instancePath:instancePath+"/time_column",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data7};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
}
else {
const err15 = {instancePath:instancePath+"/time_column",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data7};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
if(data.leak_check !== undefined){
let data8 = data.leak_check;
if(!(((data8 === "off") || (data8 === "warn")) || (data8 === "block"))){
const err16 = {instancePath:instancePath+"/leak_check",schemaPath:"#/properties/leak_check/enum",keyword:"enum",params:{allowedValues: schema66.properties.leak_check.enum},message:"must be equal to one of the allowed values",schema:schema66.properties.leak_check.enum,parentSchema:schema66.properties.leak_check,data:data8};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
}
if(data.skip_data_profiling !== undefined){
let data9 = data.skip_data_profiling;
if(typeof data9 !== "boolean"){
const err17 = {instancePath:instancePath+"/skip_data_profiling",schemaPath:"#/$defs/skipDataProfiling/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema61.type,parentSchema:schema61,data:data9};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
}
if(data.timeout !== undefined){
let data10 = data.timeout;
if((typeof data10 !== "string") && (!((typeof data10 == "number") && (isFinite(data10))))){
const err18 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data10};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
if((typeof data10 == "number") && (isFinite(data10))){
if(data10 <= 0 || isNaN(data10)){
const err19 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data10};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
if(typeof data10 === "string"){
if(!pattern9.test(data10)){
const err20 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data10};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
}
}
if(data.retries !== undefined){
let data11 = data.retries;
if(!(((typeof data11 == "number") && (!(data11 % 1) && !isNaN(data11))) && (isFinite(data11)))){
const err21 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema63.type,parentSchema:schema63,data:data11};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
if((typeof data11 == "number") && (isFinite(data11))){
if(data11 > 20 || isNaN(data11)){
const err22 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/maximum",keyword:"maximum",params:{comparison: "<=", limit: 20},message:"must be <= 20",schema:20,parentSchema:schema63,data:data11};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
if(data11 < 0 || isNaN(data11)){
const err23 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema63,data:data11};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
}
}
if(data.cache !== undefined){
if(!(validate34(data.cache, {instancePath:instancePath+"/cache",parentData:data,parentDataProperty:"cache",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate34.errors : vErrors.concat(validate34.errors);
errors = vErrors.length;
}
}
}
validate37.errors = vErrors;
return errors === 0;
}
validate37.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema76 = {"description":"Fits the feature transformer on the training rows.","type":["object","null"],"additionalProperties":false,"properties":{"using":{"description":"auto imputes, scales and encodes; none passes the columns on; custom calls transformer_method.","enum":["auto","none","custom"]},"transformer_method":{"description":"Function in steps/transform that returns the unfitted transformer.","type":["string","null"],"pattern":"^[A-Za-z_$][A-Za-z0-9_$]*$","x-expect":"the bare name of a function"},"skip_data_profiling":{"$ref":"#/$defs/skipDataProfiling"},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"},"select":{"description":"Columns to use; default all.","$ref":"#/$defs/columns"},"drop":{"description":"Columns not to use.","type":"array","items":{"$ref":"#/$defs/text"}},"numeric":{"description":"What auto does with numbers.","$ref":"#/$defs/numericRule"},"categorical":{"description":"What auto does with categories.","$ref":"#/$defs/categoricalRule"},"date":{"description":"What auto does with dates.","$ref":"#/$defs/dateRule"},"columns":{"description":"What auto does with single columns: keep, drop, or a rule with its kind.","type":"object","additionalProperties":{"type":["string","object"]}}}};
const schema81 = {"type":"object","additionalProperties":false,"properties":{"impute":{"description":"What stands for a missing value; or {constant: value}.","type":["string","object"]},"indicator":{"description":"Adds a column that says where values were missing.","type":"boolean"},"scale":{"description":"How numbers are scaled.","enum":["standard","minmax","robust","none"]}}};
const schema82 = {"type":"object","additionalProperties":false,"properties":{"impute":{"description":"What stands for a missing value; or {constant: value}.","type":["string","object"]},"encode":{"description":"How categories become numbers.","enum":["one_hot","none"]},"max_categories":{"description":"Most columns that one column becomes.","type":"integer","minimum":1}}};
const schema83 = {"type":"object","additionalProperties":false,"properties":{"parts":{"description":"Parts of a date that become columns.","type":"array","minItems":1,"items":{"enum":["year","month","day","weekday","hour","minute","day_of_year"]}},"cyclical":{"description":"Whether periodic parts become sine and cosine.","type":"boolean"}}};

function validate42(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate42.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((!(data && typeof data == "object" && !Array.isArray(data))) && (data !== null)){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema76.type},message:"must be object,null",schema:schema76.type,parentSchema:schema76,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!(func1.call(schema76.properties, key0))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema76,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.using !== undefined){
let data0 = data.using;
if(!(((data0 === "auto") || (data0 === "none")) || (data0 === "custom"))){
const err2 = {instancePath:instancePath+"/using",schemaPath:"#/properties/using/enum",keyword:"enum",params:{allowedValues: schema76.properties.using.enum},message:"must be equal to one of the allowed values",schema:schema76.properties.using.enum,parentSchema:schema76.properties.using,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
if(data.transformer_method !== undefined){
let data1 = data.transformer_method;
if((typeof data1 !== "string") && (data1 !== null)){
const err3 = {instancePath:instancePath+"/transformer_method",schemaPath:"#/properties/transformer_method/type",keyword:"type",params:{type: schema76.properties.transformer_method.type},message:"must be string,null",schema:schema76.properties.transformer_method.type,parentSchema:schema76.properties.transformer_method,data:data1};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
if(typeof data1 === "string"){
if(!pattern5.test(data1)){
const err4 = {instancePath:instancePath+"/transformer_method",schemaPath:"#/properties/transformer_method/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z_$][A-Za-z0-9_$]*$"},message:"must match pattern \""+"^[A-Za-z_$][A-Za-z0-9_$]*$"+"\"",schema:"^[A-Za-z_$][A-Za-z0-9_$]*$",parentSchema:schema76.properties.transformer_method,data:data1};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
}
if(data.skip_data_profiling !== undefined){
let data2 = data.skip_data_profiling;
if(typeof data2 !== "boolean"){
const err5 = {instancePath:instancePath+"/skip_data_profiling",schemaPath:"#/$defs/skipDataProfiling/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema61.type,parentSchema:schema61,data:data2};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(data.timeout !== undefined){
let data3 = data.timeout;
if((typeof data3 !== "string") && (!((typeof data3 == "number") && (isFinite(data3))))){
const err6 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data3};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
if((typeof data3 == "number") && (isFinite(data3))){
if(data3 <= 0 || isNaN(data3)){
const err7 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data3};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
if(typeof data3 === "string"){
if(!pattern9.test(data3)){
const err8 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data3};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
}
if(data.retries !== undefined){
let data4 = data.retries;
if(!(((typeof data4 == "number") && (!(data4 % 1) && !isNaN(data4))) && (isFinite(data4)))){
const err9 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema63.type,parentSchema:schema63,data:data4};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 > 20 || isNaN(data4)){
const err10 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/maximum",keyword:"maximum",params:{comparison: "<=", limit: 20},message:"must be <= 20",schema:20,parentSchema:schema63,data:data4};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
if(data4 < 0 || isNaN(data4)){
const err11 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema63,data:data4};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
}
if(data.cache !== undefined){
if(!(validate34(data.cache, {instancePath:instancePath+"/cache",parentData:data,parentDataProperty:"cache",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate34.errors : vErrors.concat(validate34.errors);
errors = vErrors.length;
}
}
if(data.select !== undefined){
if(!(validate38(data.select, {instancePath:instancePath+"/select",parentData:data,parentDataProperty:"select",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate38.errors : vErrors.concat(validate38.errors);
errors = vErrors.length;
}
}
if(data.drop !== undefined){
let data7 = data.drop;
if(Array.isArray(data7)){
const len0 = data7.length;
for(let i0=0; i0<len0; i0++){
let data8 = data7[i0];
if(typeof data8 === "string"){
if(func2(data8) < 1){
const err12 = {instancePath:instancePath+"/drop/" + i0,schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data8};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
else {
const err13 = {instancePath:instancePath+"/drop/" + i0,schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data8};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
}
}
else {
const err14 = {instancePath:instancePath+"/drop",schemaPath:"#/properties/drop/type",keyword:"type",params:{type: "array"},message:"must be array",schema:schema76.properties.drop.type,parentSchema:schema76.properties.drop,data:data7};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
}
if(data.numeric !== undefined){
let data9 = data.numeric;
if(data9 && typeof data9 == "object" && !Array.isArray(data9)){
for(const key1 in data9){
if(!(((key1 === "impute") || (key1 === "indicator")) || (key1 === "scale"))){
const err15 = {instancePath:instancePath+"/numeric",schemaPath:"#/$defs/numericRule/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key1},message:"must NOT have additional properties",schema:false,parentSchema:schema81,data:data9};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
if(data9.impute !== undefined){
let data10 = data9.impute;
if((typeof data10 !== "string") && (!(data10 && typeof data10 == "object" && !Array.isArray(data10)))){
const err16 = {instancePath:instancePath+"/numeric/impute",schemaPath:"#/$defs/numericRule/properties/impute/type",keyword:"type",params:{type: schema81.properties.impute.type},message:"must be string,object",schema:schema81.properties.impute.type,parentSchema:schema81.properties.impute,data:data10};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
}
if(data9.indicator !== undefined){
let data11 = data9.indicator;
if(typeof data11 !== "boolean"){
const err17 = {instancePath:instancePath+"/numeric/indicator",schemaPath:"#/$defs/numericRule/properties/indicator/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema81.properties.indicator.type,parentSchema:schema81.properties.indicator,data:data11};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
}
if(data9.scale !== undefined){
let data12 = data9.scale;
if(!((((data12 === "standard") || (data12 === "minmax")) || (data12 === "robust")) || (data12 === "none"))){
const err18 = {instancePath:instancePath+"/numeric/scale",schemaPath:"#/$defs/numericRule/properties/scale/enum",keyword:"enum",params:{allowedValues: schema81.properties.scale.enum},message:"must be equal to one of the allowed values",schema:schema81.properties.scale.enum,parentSchema:schema81.properties.scale,data:data12};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
}
}
else {
const err19 = {instancePath:instancePath+"/numeric",schemaPath:"#/$defs/numericRule/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema81.type,parentSchema:schema81,data:data9};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
if(data.categorical !== undefined){
let data13 = data.categorical;
if(data13 && typeof data13 == "object" && !Array.isArray(data13)){
for(const key2 in data13){
if(!(((key2 === "impute") || (key2 === "encode")) || (key2 === "max_categories"))){
const err20 = {instancePath:instancePath+"/categorical",schemaPath:"#/$defs/categoricalRule/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key2},message:"must NOT have additional properties",schema:false,parentSchema:schema82,data:data13};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
}
if(data13.impute !== undefined){
let data14 = data13.impute;
if((typeof data14 !== "string") && (!(data14 && typeof data14 == "object" && !Array.isArray(data14)))){
const err21 = {instancePath:instancePath+"/categorical/impute",schemaPath:"#/$defs/categoricalRule/properties/impute/type",keyword:"type",params:{type: schema82.properties.impute.type},message:"must be string,object",schema:schema82.properties.impute.type,parentSchema:schema82.properties.impute,data:data14};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
}
if(data13.encode !== undefined){
let data15 = data13.encode;
if(!((data15 === "one_hot") || (data15 === "none"))){
const err22 = {instancePath:instancePath+"/categorical/encode",schemaPath:"#/$defs/categoricalRule/properties/encode/enum",keyword:"enum",params:{allowedValues: schema82.properties.encode.enum},message:"must be equal to one of the allowed values",schema:schema82.properties.encode.enum,parentSchema:schema82.properties.encode,data:data15};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
}
if(data13.max_categories !== undefined){
let data16 = data13.max_categories;
if(!(((typeof data16 == "number") && (!(data16 % 1) && !isNaN(data16))) && (isFinite(data16)))){
const err23 = {instancePath:instancePath+"/categorical/max_categories",schemaPath:"#/$defs/categoricalRule/properties/max_categories/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema82.properties.max_categories.type,parentSchema:schema82.properties.max_categories,data:data16};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
if((typeof data16 == "number") && (isFinite(data16))){
if(data16 < 1 || isNaN(data16)){
const err24 = {instancePath:instancePath+"/categorical/max_categories",schemaPath:"#/$defs/categoricalRule/properties/max_categories/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1",schema:1,parentSchema:schema82.properties.max_categories,data:data16};
if(vErrors === null){
vErrors = [err24];
}
else {
vErrors.push(err24);
}
errors++;
}
}
}
}
else {
const err25 = {instancePath:instancePath+"/categorical",schemaPath:"#/$defs/categoricalRule/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema82.type,parentSchema:schema82,data:data13};
if(vErrors === null){
vErrors = [err25];
}
else {
vErrors.push(err25);
}
errors++;
}
}
if(data.date !== undefined){
let data17 = data.date;
if(data17 && typeof data17 == "object" && !Array.isArray(data17)){
for(const key3 in data17){
if(!((key3 === "parts") || (key3 === "cyclical"))){
const err26 = {instancePath:instancePath+"/date",schemaPath:"#/$defs/dateRule/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key3},message:"must NOT have additional properties",schema:false,parentSchema:schema83,data:data17};
if(vErrors === null){
vErrors = [err26];
}
else {
vErrors.push(err26);
}
errors++;
}
}
if(data17.parts !== undefined){
let data18 = data17.parts;
if(Array.isArray(data18)){
if(data18.length < 1){
const err27 = {instancePath:instancePath+"/date/parts",schemaPath:"#/$defs/dateRule/properties/parts/minItems",keyword:"minItems",params:{limit: 1},message:"must NOT have fewer than 1 items",schema:1,parentSchema:schema83.properties.parts,data:data18};
if(vErrors === null){
vErrors = [err27];
}
else {
vErrors.push(err27);
}
errors++;
}
const len1 = data18.length;
for(let i1=0; i1<len1; i1++){
let data19 = data18[i1];
if(!(((((((data19 === "year") || (data19 === "month")) || (data19 === "day")) || (data19 === "weekday")) || (data19 === "hour")) || (data19 === "minute")) || (data19 === "day_of_year"))){
const err28 = {instancePath:instancePath+"/date/parts/" + i1,schemaPath:"#/$defs/dateRule/properties/parts/items/enum",keyword:"enum",params:{allowedValues: schema83.properties.parts.items.enum},message:"must be equal to one of the allowed values",schema:schema83.properties.parts.items.enum,parentSchema:schema83.properties.parts.items,data:data19};
if(vErrors === null){
vErrors = [err28];
}
else {
vErrors.push(err28);
}
errors++;
}
}
}
else {
const err29 = {instancePath:instancePath+"/date/parts",schemaPath:"#/$defs/dateRule/properties/parts/type",keyword:"type",params:{type: "array"},message:"must be array",schema:schema83.properties.parts.type,parentSchema:schema83.properties.parts,data:data18};
if(vErrors === null){
vErrors = [err29];
}
else {
vErrors.push(err29);
}
errors++;
}
}
if(data17.cyclical !== undefined){
let data20 = data17.cyclical;
if(typeof data20 !== "boolean"){
const err30 = {instancePath:instancePath+"/date/cyclical",schemaPath:"#/$defs/dateRule/properties/cyclical/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema83.properties.cyclical.type,parentSchema:schema83.properties.cyclical,data:data20};
if(vErrors === null){
vErrors = [err30];
}
else {
vErrors.push(err30);
}
errors++;
}
}
}
else {
const err31 = {instancePath:instancePath+"/date",schemaPath:"#/$defs/dateRule/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema83.type,parentSchema:schema83,data:data17};
if(vErrors === null){
vErrors = [err31];
}
else {
vErrors.push(err31);
}
errors++;
}
}
if(data.columns !== undefined){
let data21 = data.columns;
if(data21 && typeof data21 == "object" && !Array.isArray(data21)){
for(const key4 in data21){
let data22 = data21[key4];
if((typeof data22 !== "string") && (!(data22 && typeof data22 == "object" && !Array.isArray(data22)))){
const err32 = {instancePath:instancePath+"/columns/" + key4.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/columns/additionalProperties/type",keyword:"type",params:{type: schema76.properties.columns.additionalProperties.type},message:"must be string,object",schema:schema76.properties.columns.additionalProperties.type,parentSchema:schema76.properties.columns.additionalProperties,data:data22};
if(vErrors === null){
vErrors = [err32];
}
else {
vErrors.push(err32);
}
errors++;
}
}
}
else {
const err33 = {instancePath:instancePath+"/columns",schemaPath:"#/properties/columns/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema76.properties.columns.type,parentSchema:schema76.properties.columns,data:data21};
if(vErrors === null){
vErrors = [err33];
}
else {
vErrors.push(err33);
}
errors++;
}
}
}
validate42.errors = vErrors;
return errors === 0;
}
validate42.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema84 = {"description":"Trains the model, with a search over its parameters if tuning is on.","type":["object","null"],"additionalProperties":false,"properties":{"using":{"description":"Estimator.","enum":["ydf/gradient_boosted_trees","ydf/random_forest","linear/ridge","linear/logistic","trees/gradient_boosting","baseline/mean","baseline/majority","custom","automl/flaml"]},"estimator_method":{"description":"Function in steps/train that returns the unfitted estimator.","$ref":"#/$defs/functionName"},"estimator_params":{"description":"Fixed parameters of the estimator.","type":["object","null"]},"predict_scores_for_all_classes":{"description":"Whether predictions carry a score for each class.","type":"boolean","default":true},"predict_prefix":{"description":"Beginning of the names of prediction columns.","type":"string","default":"predicted_"},"onnx":{"description":"Whether the model gets a form in ONNX, which is served without Python (Python recipes): where it converts, always or never.","enum":["auto","required","off"],"default":"auto"},"calibrate_proba":{"description":"Method of probability calibration.","enum":["sigmoid","isotonic"]},"rebalance_training_data":{"description":"Whether large unbalanced binary data is downsampled.","type":"boolean"},"resampling_minority_percentage":{"description":"Share of the minority class to reach.","type":"number","exclusiveMinimum":0,"exclusiveMaximum":1},"time_budget_secs":{"description":"Time for automl/flaml.","type":"number","exclusiveMinimum":0},"flaml_params":{"description":"Parameters of FLAML.","type":["object","null"]},"tuning":{"$ref":"#/$defs/tuning"},"skip_data_profiling":{"$ref":"#/$defs/skipDataProfiling"},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}};
const schema86 = {"description":"Search over the estimator's parameters.","type":["object","null"],"additionalProperties":false,"required":["enabled"],"properties":{"enabled":{"description":"Whether to search.","type":"boolean"},"max_trials":{"description":"How many settings to try.","type":"integer","minimum":1},"algorithm":{"description":"grid, random or tpe.","type":"string","default":"random"},"parallelism":{"description":"Trials at the same time.","type":"integer","minimum":1,"default":1},"sample_fraction":{"description":"Share of the training rows that trials see.","type":"number","exclusiveMinimum":0,"maximum":1,"default":1},"early_stop":{"description":"Ends the search when it no longer improves.","type":["object","null"],"additionalProperties":false,"properties":{"patience":{"description":"Trials without improvement.","type":"integer","minimum":1},"min_delta":{"description":"What counts as an improvement.","type":"number","minimum":0},"median":{"description":"Give up trials that are worse than the median of the others.","type":"boolean"}}},"early_stop_fn":{"description":"Function that ends the search (MLflow).","$ref":"#/$defs/text"},"parameters":{"description":"What to search: name to a list of values or a distribution.","type":"object","minProperties":1,"additionalProperties":{"$ref":"#/$defs/searchParameter"}}}};
const schema88 = {"type":"object","properties":{"values":{"description":"Values to choose from.","type":"array","minItems":1},"distribution":{"description":"Name of a distribution.","enum":["uniform","quniform","loguniform","qloguniform","normal","qnormal","lognormal","qlognormal","randint","uniformint","choice"]}}};

function validate47(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate47.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((!(data && typeof data == "object" && !Array.isArray(data))) && (data !== null)){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema86.type},message:"must be object,null",schema:schema86.type,parentSchema:schema86,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.enabled === undefined){
const err1 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "enabled"},message:"must have required property '"+"enabled"+"'",schema:schema86.required,parentSchema:schema86,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
for(const key0 in data){
if(!((((((((key0 === "enabled") || (key0 === "max_trials")) || (key0 === "algorithm")) || (key0 === "parallelism")) || (key0 === "sample_fraction")) || (key0 === "early_stop")) || (key0 === "early_stop_fn")) || (key0 === "parameters"))){
const err2 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema86,data};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
if(data.enabled !== undefined){
let data0 = data.enabled;
if(typeof data0 !== "boolean"){
const err3 = {instancePath:instancePath+"/enabled",schemaPath:"#/properties/enabled/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema86.properties.enabled.type,parentSchema:schema86.properties.enabled,data:data0};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
if(data.max_trials !== undefined){
let data1 = data.max_trials;
if(!(((typeof data1 == "number") && (!(data1 % 1) && !isNaN(data1))) && (isFinite(data1)))){
const err4 = {instancePath:instancePath+"/max_trials",schemaPath:"#/properties/max_trials/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema86.properties.max_trials.type,parentSchema:schema86.properties.max_trials,data:data1};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
if((typeof data1 == "number") && (isFinite(data1))){
if(data1 < 1 || isNaN(data1)){
const err5 = {instancePath:instancePath+"/max_trials",schemaPath:"#/properties/max_trials/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1",schema:1,parentSchema:schema86.properties.max_trials,data:data1};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
}
if(data.algorithm !== undefined){
let data2 = data.algorithm;
if(typeof data2 !== "string"){
const err6 = {instancePath:instancePath+"/algorithm",schemaPath:"#/properties/algorithm/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema86.properties.algorithm.type,parentSchema:schema86.properties.algorithm,data:data2};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
if(data.parallelism !== undefined){
let data3 = data.parallelism;
if(!(((typeof data3 == "number") && (!(data3 % 1) && !isNaN(data3))) && (isFinite(data3)))){
const err7 = {instancePath:instancePath+"/parallelism",schemaPath:"#/properties/parallelism/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema86.properties.parallelism.type,parentSchema:schema86.properties.parallelism,data:data3};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
if((typeof data3 == "number") && (isFinite(data3))){
if(data3 < 1 || isNaN(data3)){
const err8 = {instancePath:instancePath+"/parallelism",schemaPath:"#/properties/parallelism/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1",schema:1,parentSchema:schema86.properties.parallelism,data:data3};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
}
if(data.sample_fraction !== undefined){
let data4 = data.sample_fraction;
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 > 1 || isNaN(data4)){
const err9 = {instancePath:instancePath+"/sample_fraction",schemaPath:"#/properties/sample_fraction/maximum",keyword:"maximum",params:{comparison: "<=", limit: 1},message:"must be <= 1",schema:1,parentSchema:schema86.properties.sample_fraction,data:data4};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
if(data4 <= 0 || isNaN(data4)){
const err10 = {instancePath:instancePath+"/sample_fraction",schemaPath:"#/properties/sample_fraction/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema86.properties.sample_fraction,data:data4};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
else {
const err11 = {instancePath:instancePath+"/sample_fraction",schemaPath:"#/properties/sample_fraction/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema86.properties.sample_fraction.type,parentSchema:schema86.properties.sample_fraction,data:data4};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
if(data.early_stop !== undefined){
let data5 = data.early_stop;
if((!(data5 && typeof data5 == "object" && !Array.isArray(data5))) && (data5 !== null)){
const err12 = {instancePath:instancePath+"/early_stop",schemaPath:"#/properties/early_stop/type",keyword:"type",params:{type: schema86.properties.early_stop.type},message:"must be object,null",schema:schema86.properties.early_stop.type,parentSchema:schema86.properties.early_stop,data:data5};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
if(data5 && typeof data5 == "object" && !Array.isArray(data5)){
for(const key1 in data5){
if(!(((key1 === "patience") || (key1 === "min_delta")) || (key1 === "median"))){
const err13 = {instancePath:instancePath+"/early_stop",schemaPath:"#/properties/early_stop/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key1},message:"must NOT have additional properties",schema:false,parentSchema:schema86.properties.early_stop,data:data5};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
}
if(data5.patience !== undefined){
let data6 = data5.patience;
if(!(((typeof data6 == "number") && (!(data6 % 1) && !isNaN(data6))) && (isFinite(data6)))){
const err14 = {instancePath:instancePath+"/early_stop/patience",schemaPath:"#/properties/early_stop/properties/patience/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema86.properties.early_stop.properties.patience.type,parentSchema:schema86.properties.early_stop.properties.patience,data:data6};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
if((typeof data6 == "number") && (isFinite(data6))){
if(data6 < 1 || isNaN(data6)){
const err15 = {instancePath:instancePath+"/early_stop/patience",schemaPath:"#/properties/early_stop/properties/patience/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1",schema:1,parentSchema:schema86.properties.early_stop.properties.patience,data:data6};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
}
if(data5.min_delta !== undefined){
let data7 = data5.min_delta;
if((typeof data7 == "number") && (isFinite(data7))){
if(data7 < 0 || isNaN(data7)){
const err16 = {instancePath:instancePath+"/early_stop/min_delta",schemaPath:"#/properties/early_stop/properties/min_delta/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema86.properties.early_stop.properties.min_delta,data:data7};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
}
else {
const err17 = {instancePath:instancePath+"/early_stop/min_delta",schemaPath:"#/properties/early_stop/properties/min_delta/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema86.properties.early_stop.properties.min_delta.type,parentSchema:schema86.properties.early_stop.properties.min_delta,data:data7};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
}
if(data5.median !== undefined){
let data8 = data5.median;
if(typeof data8 !== "boolean"){
const err18 = {instancePath:instancePath+"/early_stop/median",schemaPath:"#/properties/early_stop/properties/median/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema86.properties.early_stop.properties.median.type,parentSchema:schema86.properties.early_stop.properties.median,data:data8};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
}
}
}
if(data.early_stop_fn !== undefined){
let data9 = data.early_stop_fn;
if(typeof data9 === "string"){
if(func2(data9) < 1){
const err19 = {instancePath:instancePath+"/early_stop_fn",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data9};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
else {
const err20 = {instancePath:instancePath+"/early_stop_fn",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data9};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
}
if(data.parameters !== undefined){
let data10 = data.parameters;
if(data10 && typeof data10 == "object" && !Array.isArray(data10)){
if(Object.keys(data10).length < 1){
const err21 = {instancePath:instancePath+"/parameters",schemaPath:"#/properties/parameters/minProperties",keyword:"minProperties",params:{limit: 1},message:"must NOT have fewer than 1 properties",schema:1,parentSchema:schema86.properties.parameters,data:data10};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
for(const key2 in data10){
let data11 = data10[key2];
if(data11 && typeof data11 == "object" && !Array.isArray(data11)){
if(data11.values !== undefined){
let data12 = data11.values;
if(Array.isArray(data12)){
if(data12.length < 1){
const err22 = {instancePath:instancePath+"/parameters/" + key2.replace(/~/g, "~0").replace(/\//g, "~1")+"/values",schemaPath:"#/$defs/searchParameter/properties/values/minItems",keyword:"minItems",params:{limit: 1},message:"must NOT have fewer than 1 items",schema:1,parentSchema:schema88.properties.values,data:data12};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
}
else {
const err23 = {instancePath:instancePath+"/parameters/" + key2.replace(/~/g, "~0").replace(/\//g, "~1")+"/values",schemaPath:"#/$defs/searchParameter/properties/values/type",keyword:"type",params:{type: "array"},message:"must be array",schema:schema88.properties.values.type,parentSchema:schema88.properties.values,data:data12};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
}
if(data11.distribution !== undefined){
let data13 = data11.distribution;
if(!(((((((((((data13 === "uniform") || (data13 === "quniform")) || (data13 === "loguniform")) || (data13 === "qloguniform")) || (data13 === "normal")) || (data13 === "qnormal")) || (data13 === "lognormal")) || (data13 === "qlognormal")) || (data13 === "randint")) || (data13 === "uniformint")) || (data13 === "choice"))){
const err24 = {instancePath:instancePath+"/parameters/" + key2.replace(/~/g, "~0").replace(/\//g, "~1")+"/distribution",schemaPath:"#/$defs/searchParameter/properties/distribution/enum",keyword:"enum",params:{allowedValues: schema88.properties.distribution.enum},message:"must be equal to one of the allowed values",schema:schema88.properties.distribution.enum,parentSchema:schema88.properties.distribution,data:data13};
if(vErrors === null){
vErrors = [err24];
}
else {
vErrors.push(err24);
}
errors++;
}
}
}
else {
const err25 = {instancePath:instancePath+"/parameters/" + key2.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/$defs/searchParameter/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema88.type,parentSchema:schema88,data:data11};
if(vErrors === null){
vErrors = [err25];
}
else {
vErrors.push(err25);
}
errors++;
}
}
}
else {
const err26 = {instancePath:instancePath+"/parameters",schemaPath:"#/properties/parameters/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema86.properties.parameters.type,parentSchema:schema86.properties.parameters,data:data10};
if(vErrors === null){
vErrors = [err26];
}
else {
vErrors.push(err26);
}
errors++;
}
}
}
validate47.errors = vErrors;
return errors === 0;
}
validate47.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};


function validate46(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate46.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((!(data && typeof data == "object" && !Array.isArray(data))) && (data !== null)){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema84.type},message:"must be object,null",schema:schema84.type,parentSchema:schema84,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!(func1.call(schema84.properties, key0))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema84,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.using !== undefined){
let data0 = data.using;
if(!(((((((((data0 === "ydf/gradient_boosted_trees") || (data0 === "ydf/random_forest")) || (data0 === "linear/ridge")) || (data0 === "linear/logistic")) || (data0 === "trees/gradient_boosting")) || (data0 === "baseline/mean")) || (data0 === "baseline/majority")) || (data0 === "custom")) || (data0 === "automl/flaml"))){
const err2 = {instancePath:instancePath+"/using",schemaPath:"#/properties/using/enum",keyword:"enum",params:{allowedValues: schema84.properties.using.enum},message:"must be equal to one of the allowed values",schema:schema84.properties.using.enum,parentSchema:schema84.properties.using,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
if(data.estimator_method !== undefined){
let data1 = data.estimator_method;
if(typeof data1 === "string"){
if(!pattern5.test(data1)){
const err3 = {instancePath:instancePath+"/estimator_method",schemaPath:"#/$defs/functionName/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z_$][A-Za-z0-9_$]*$"},message:"must match pattern \""+"^[A-Za-z_$][A-Za-z0-9_$]*$"+"\"",schema:"^[A-Za-z_$][A-Za-z0-9_$]*$",parentSchema:schema37,data:data1};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
else {
const err4 = {instancePath:instancePath+"/estimator_method",schemaPath:"#/$defs/functionName/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema37.type,parentSchema:schema37,data:data1};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
if(data.estimator_params !== undefined){
let data2 = data.estimator_params;
if((!(data2 && typeof data2 == "object" && !Array.isArray(data2))) && (data2 !== null)){
const err5 = {instancePath:instancePath+"/estimator_params",schemaPath:"#/properties/estimator_params/type",keyword:"type",params:{type: schema84.properties.estimator_params.type},message:"must be object,null",schema:schema84.properties.estimator_params.type,parentSchema:schema84.properties.estimator_params,data:data2};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(data.predict_scores_for_all_classes !== undefined){
let data3 = data.predict_scores_for_all_classes;
if(typeof data3 !== "boolean"){
const err6 = {instancePath:instancePath+"/predict_scores_for_all_classes",schemaPath:"#/properties/predict_scores_for_all_classes/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema84.properties.predict_scores_for_all_classes.type,parentSchema:schema84.properties.predict_scores_for_all_classes,data:data3};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
if(data.predict_prefix !== undefined){
let data4 = data.predict_prefix;
if(typeof data4 !== "string"){
const err7 = {instancePath:instancePath+"/predict_prefix",schemaPath:"#/properties/predict_prefix/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema84.properties.predict_prefix.type,parentSchema:schema84.properties.predict_prefix,data:data4};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
if(data.onnx !== undefined){
let data5 = data.onnx;
if(!(((data5 === "auto") || (data5 === "required")) || (data5 === "off"))){
const err8 = {instancePath:instancePath+"/onnx",schemaPath:"#/properties/onnx/enum",keyword:"enum",params:{allowedValues: schema84.properties.onnx.enum},message:"must be equal to one of the allowed values",schema:schema84.properties.onnx.enum,parentSchema:schema84.properties.onnx,data:data5};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
if(data.calibrate_proba !== undefined){
let data6 = data.calibrate_proba;
if(!((data6 === "sigmoid") || (data6 === "isotonic"))){
const err9 = {instancePath:instancePath+"/calibrate_proba",schemaPath:"#/properties/calibrate_proba/enum",keyword:"enum",params:{allowedValues: schema84.properties.calibrate_proba.enum},message:"must be equal to one of the allowed values",schema:schema84.properties.calibrate_proba.enum,parentSchema:schema84.properties.calibrate_proba,data:data6};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
if(data.rebalance_training_data !== undefined){
let data7 = data.rebalance_training_data;
if(typeof data7 !== "boolean"){
const err10 = {instancePath:instancePath+"/rebalance_training_data",schemaPath:"#/properties/rebalance_training_data/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema84.properties.rebalance_training_data.type,parentSchema:schema84.properties.rebalance_training_data,data:data7};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
if(data.resampling_minority_percentage !== undefined){
let data8 = data.resampling_minority_percentage;
if((typeof data8 == "number") && (isFinite(data8))){
if(data8 >= 1 || isNaN(data8)){
const err11 = {instancePath:instancePath+"/resampling_minority_percentage",schemaPath:"#/properties/resampling_minority_percentage/exclusiveMaximum",keyword:"exclusiveMaximum",params:{comparison: "<", limit: 1},message:"must be < 1",schema:1,parentSchema:schema84.properties.resampling_minority_percentage,data:data8};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
if(data8 <= 0 || isNaN(data8)){
const err12 = {instancePath:instancePath+"/resampling_minority_percentage",schemaPath:"#/properties/resampling_minority_percentage/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema84.properties.resampling_minority_percentage,data:data8};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
else {
const err13 = {instancePath:instancePath+"/resampling_minority_percentage",schemaPath:"#/properties/resampling_minority_percentage/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema84.properties.resampling_minority_percentage.type,parentSchema:schema84.properties.resampling_minority_percentage,data:data8};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
}
if(data.time_budget_secs !== undefined){
let data9 = data.time_budget_secs;
if((typeof data9 == "number") && (isFinite(data9))){
if(data9 <= 0 || isNaN(data9)){
const err14 = {instancePath:instancePath+"/time_budget_secs",schemaPath:"#/properties/time_budget_secs/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema84.properties.time_budget_secs,data:data9};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
}
else {
const err15 = {instancePath:instancePath+"/time_budget_secs",schemaPath:"#/properties/time_budget_secs/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema84.properties.time_budget_secs.type,parentSchema:schema84.properties.time_budget_secs,data:data9};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
if(data.flaml_params !== undefined){
let data10 = data.flaml_params;
if((!(data10 && typeof data10 == "object" && !Array.isArray(data10))) && (data10 !== null)){
const err16 = {instancePath:instancePath+"/flaml_params",schemaPath:"#/properties/flaml_params/type",keyword:"type",params:{type: schema84.properties.flaml_params.type},message:"must be object,null",schema:schema84.properties.flaml_params.type,parentSchema:schema84.properties.flaml_params,data:data10};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
}
if(data.tuning !== undefined){
if(!(validate47(data.tuning, {instancePath:instancePath+"/tuning",parentData:data,parentDataProperty:"tuning",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate47.errors : vErrors.concat(validate47.errors);
errors = vErrors.length;
}
}
if(data.skip_data_profiling !== undefined){
let data12 = data.skip_data_profiling;
if(typeof data12 !== "boolean"){
const err17 = {instancePath:instancePath+"/skip_data_profiling",schemaPath:"#/$defs/skipDataProfiling/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema61.type,parentSchema:schema61,data:data12};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
}
if(data.timeout !== undefined){
let data13 = data.timeout;
if((typeof data13 !== "string") && (!((typeof data13 == "number") && (isFinite(data13))))){
const err18 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data13};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
if((typeof data13 == "number") && (isFinite(data13))){
if(data13 <= 0 || isNaN(data13)){
const err19 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data13};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
if(typeof data13 === "string"){
if(!pattern9.test(data13)){
const err20 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data13};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
}
}
if(data.retries !== undefined){
let data14 = data.retries;
if(!(((typeof data14 == "number") && (!(data14 % 1) && !isNaN(data14))) && (isFinite(data14)))){
const err21 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema63.type,parentSchema:schema63,data:data14};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
if((typeof data14 == "number") && (isFinite(data14))){
if(data14 > 20 || isNaN(data14)){
const err22 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/maximum",keyword:"maximum",params:{comparison: "<=", limit: 20},message:"must be <= 20",schema:20,parentSchema:schema63,data:data14};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
if(data14 < 0 || isNaN(data14)){
const err23 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema63,data:data14};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
}
}
if(data.cache !== undefined){
if(!(validate34(data.cache, {instancePath:instancePath+"/cache",parentData:data,parentDataProperty:"cache",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate34.errors : vErrors.concat(validate34.errors);
errors = vErrors.length;
}
}
}
validate46.errors = vErrors;
return errors === 0;
}
validate46.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema92 = {"description":"Measures the model on held-out rows and decides whether it may be registered.","type":["object","null"],"additionalProperties":false,"properties":{"validation_criteria":{"description":"Gates that the model must pass.","type":["array","null"],"items":{"$ref":"#/$defs/criterion"}},"slices":{"description":"Parts of the data that are measured on their own: a condition with a name, or a column, whose every value is a slice.","type":["array","null"],"items":{"$ref":"#/$defs/slice"}},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}};
const schema93 = {"type":"object","additionalProperties":false,"required":["metric"],"properties":{"metric":{"description":"Name of the metric.","$ref":"#/$defs/text"},"threshold":{"description":"Bound in the metric's own direction, inclusive.","type":"number"},"min":{"description":"Least value allowed.","type":"number"},"max":{"description":"Greatest value allowed.","type":"number"},"on":{"description":"Judge the value (the default), or the worse end of its confidence interval.","enum":["value","ci_bound"]},"slice":{"description":"Judge on this slice instead of all rows; `worst` is the worst of them, `column=value` a slice of a column.","$ref":"#/$defs/text"},"compare":{"description":"Judge against the model that serves now.","enum":["champion"]},"max_regression":{"description":"How much worse than the champion the model may be.","type":"number","minimum":0},"min_improvement":{"description":"How much better than the champion the model must be.","type":"number","minimum":0},"paired":{"description":"Judge the difference from the champion by its paired interval; the same as `on: ci_bound`.","type":"boolean"}}};

function validate52(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate52.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.metric === undefined){
const err0 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "metric"},message:"must have required property '"+"metric"+"'",schema:schema93.required,parentSchema:schema93,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
for(const key0 in data){
if(!(func1.call(schema93.properties, key0))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema93,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.metric !== undefined){
let data0 = data.metric;
if(typeof data0 === "string"){
if(func2(data0) < 1){
const err2 = {instancePath:instancePath+"/metric",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
else {
const err3 = {instancePath:instancePath+"/metric",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
if(data.threshold !== undefined){
let data1 = data.threshold;
if(!((typeof data1 == "number") && (isFinite(data1)))){
const err4 = {instancePath:instancePath+"/threshold",schemaPath:"#/properties/threshold/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema93.properties.threshold.type,parentSchema:schema93.properties.threshold,data:data1};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
if(data.min !== undefined){
let data2 = data.min;
if(!((typeof data2 == "number") && (isFinite(data2)))){
const err5 = {instancePath:instancePath+"/min",schemaPath:"#/properties/min/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema93.properties.min.type,parentSchema:schema93.properties.min,data:data2};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(data.max !== undefined){
let data3 = data.max;
if(!((typeof data3 == "number") && (isFinite(data3)))){
const err6 = {instancePath:instancePath+"/max",schemaPath:"#/properties/max/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema93.properties.max.type,parentSchema:schema93.properties.max,data:data3};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
if(data.on !== undefined){
let data4 = data.on;
if(!((data4 === "value") || (data4 === "ci_bound"))){
const err7 = {instancePath:instancePath+"/on",schemaPath:"#/properties/on/enum",keyword:"enum",params:{allowedValues: schema93.properties.on.enum},message:"must be equal to one of the allowed values",schema:schema93.properties.on.enum,parentSchema:schema93.properties.on,data:data4};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
if(data.slice !== undefined){
let data5 = data.slice;
if(typeof data5 === "string"){
if(func2(data5) < 1){
const err8 = {instancePath:instancePath+"/slice",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data5};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
else {
const err9 = {instancePath:instancePath+"/slice",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data5};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
if(data.compare !== undefined){
let data6 = data.compare;
if(!(data6 === "champion")){
const err10 = {instancePath:instancePath+"/compare",schemaPath:"#/properties/compare/enum",keyword:"enum",params:{allowedValues: schema93.properties.compare.enum},message:"must be equal to one of the allowed values",schema:schema93.properties.compare.enum,parentSchema:schema93.properties.compare,data:data6};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
if(data.max_regression !== undefined){
let data7 = data.max_regression;
if((typeof data7 == "number") && (isFinite(data7))){
if(data7 < 0 || isNaN(data7)){
const err11 = {instancePath:instancePath+"/max_regression",schemaPath:"#/properties/max_regression/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema93.properties.max_regression,data:data7};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
else {
const err12 = {instancePath:instancePath+"/max_regression",schemaPath:"#/properties/max_regression/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema93.properties.max_regression.type,parentSchema:schema93.properties.max_regression,data:data7};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
if(data.min_improvement !== undefined){
let data8 = data.min_improvement;
if((typeof data8 == "number") && (isFinite(data8))){
if(data8 < 0 || isNaN(data8)){
const err13 = {instancePath:instancePath+"/min_improvement",schemaPath:"#/properties/min_improvement/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema93.properties.min_improvement,data:data8};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
}
else {
const err14 = {instancePath:instancePath+"/min_improvement",schemaPath:"#/properties/min_improvement/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema93.properties.min_improvement.type,parentSchema:schema93.properties.min_improvement,data:data8};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
}
if(data.paired !== undefined){
let data9 = data.paired;
if(typeof data9 !== "boolean"){
const err15 = {instancePath:instancePath+"/paired",schemaPath:"#/properties/paired/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema93.properties.paired.type,parentSchema:schema93.properties.paired,data:data9};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
}
else {
const err16 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema93.type,parentSchema:schema93,data};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
validate52.errors = vErrors;
return errors === 0;
}
validate52.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema96 = {"type":["object","string"],"additionalProperties":false,"required":["name","where"],"properties":{"name":{"description":"Name of the slice.","$ref":"#/$defs/text"},"where":{"description":"Condition on the columns, as SQL.","$ref":"#/$defs/text"},"min_support":{"description":"Fewest rows for which the slice is judged.","type":"integer","minimum":1}},"minLength":1};

function validate54(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate54.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((!(data && typeof data == "object" && !Array.isArray(data))) && (typeof data !== "string")){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema96.type},message:"must be object,string",schema:schema96.type,parentSchema:schema96,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(typeof data === "string"){
if(func2(data) < 1){
const err1 = {instancePath,schemaPath:"#/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema96,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.name === undefined){
const err2 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "name"},message:"must have required property '"+"name"+"'",schema:schema96.required,parentSchema:schema96,data};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
if(data.where === undefined){
const err3 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "where"},message:"must have required property '"+"where"+"'",schema:schema96.required,parentSchema:schema96,data};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
for(const key0 in data){
if(!(((key0 === "name") || (key0 === "where")) || (key0 === "min_support"))){
const err4 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema96,data};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
if(data.name !== undefined){
let data0 = data.name;
if(typeof data0 === "string"){
if(func2(data0) < 1){
const err5 = {instancePath:instancePath+"/name",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
else {
const err6 = {instancePath:instancePath+"/name",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
if(data.where !== undefined){
let data1 = data.where;
if(typeof data1 === "string"){
if(func2(data1) < 1){
const err7 = {instancePath:instancePath+"/where",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data1};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
else {
const err8 = {instancePath:instancePath+"/where",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data1};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
if(data.min_support !== undefined){
let data2 = data.min_support;
if(!(((typeof data2 == "number") && (!(data2 % 1) && !isNaN(data2))) && (isFinite(data2)))){
const err9 = {instancePath:instancePath+"/min_support",schemaPath:"#/properties/min_support/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema96.properties.min_support.type,parentSchema:schema96.properties.min_support,data:data2};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
if((typeof data2 == "number") && (isFinite(data2))){
if(data2 < 1 || isNaN(data2)){
const err10 = {instancePath:instancePath+"/min_support",schemaPath:"#/properties/min_support/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1",schema:1,parentSchema:schema96.properties.min_support,data:data2};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
}
}
validate54.errors = vErrors;
return errors === 0;
}
validate54.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};


function validate51(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate51.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((!(data && typeof data == "object" && !Array.isArray(data))) && (data !== null)){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema92.type},message:"must be object,null",schema:schema92.type,parentSchema:schema92,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!(((((key0 === "validation_criteria") || (key0 === "slices")) || (key0 === "timeout")) || (key0 === "retries")) || (key0 === "cache"))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema92,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.validation_criteria !== undefined){
let data0 = data.validation_criteria;
if((!(Array.isArray(data0))) && (data0 !== null)){
const err2 = {instancePath:instancePath+"/validation_criteria",schemaPath:"#/properties/validation_criteria/type",keyword:"type",params:{type: schema92.properties.validation_criteria.type},message:"must be array,null",schema:schema92.properties.validation_criteria.type,parentSchema:schema92.properties.validation_criteria,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
if(Array.isArray(data0)){
const len0 = data0.length;
for(let i0=0; i0<len0; i0++){
if(!(validate52(data0[i0], {instancePath:instancePath+"/validation_criteria/" + i0,parentData:data0,parentDataProperty:i0,rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate52.errors : vErrors.concat(validate52.errors);
errors = vErrors.length;
}
}
}
}
if(data.slices !== undefined){
let data2 = data.slices;
if((!(Array.isArray(data2))) && (data2 !== null)){
const err3 = {instancePath:instancePath+"/slices",schemaPath:"#/properties/slices/type",keyword:"type",params:{type: schema92.properties.slices.type},message:"must be array,null",schema:schema92.properties.slices.type,parentSchema:schema92.properties.slices,data:data2};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
if(Array.isArray(data2)){
const len1 = data2.length;
for(let i1=0; i1<len1; i1++){
if(!(validate54(data2[i1], {instancePath:instancePath+"/slices/" + i1,parentData:data2,parentDataProperty:i1,rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate54.errors : vErrors.concat(validate54.errors);
errors = vErrors.length;
}
}
}
}
if(data.timeout !== undefined){
let data4 = data.timeout;
if((typeof data4 !== "string") && (!((typeof data4 == "number") && (isFinite(data4))))){
const err4 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data4};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 <= 0 || isNaN(data4)){
const err5 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data4};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(typeof data4 === "string"){
if(!pattern9.test(data4)){
const err6 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data4};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
}
if(data.retries !== undefined){
let data5 = data.retries;
if(!(((typeof data5 == "number") && (!(data5 % 1) && !isNaN(data5))) && (isFinite(data5)))){
const err7 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema63.type,parentSchema:schema63,data:data5};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
if((typeof data5 == "number") && (isFinite(data5))){
if(data5 > 20 || isNaN(data5)){
const err8 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/maximum",keyword:"maximum",params:{comparison: "<=", limit: 20},message:"must be <= 20",schema:20,parentSchema:schema63,data:data5};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
if(data5 < 0 || isNaN(data5)){
const err9 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema63,data:data5};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
}
if(data.cache !== undefined){
if(!(validate34(data.cache, {instancePath:instancePath+"/cache",parentData:data,parentDataProperty:"cache",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate34.errors : vErrors.concat(validate34.errors);
errors = vErrors.length;
}
}
}
validate51.errors = vErrors;
return errors === 0;
}
validate51.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema101 = {"description":"Registers the model as a new version.","type":["object","null"],"additionalProperties":false,"properties":{"model_name":{"description":"Name of the registered model.","$ref":"#/$defs/name"},"allow_non_validated_model":{"description":"Register although no gates were set.","type":"boolean","default":false},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}};

function validate58(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate58.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((!(data && typeof data == "object" && !Array.isArray(data))) && (data !== null)){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema101.type},message:"must be object,null",schema:schema101.type,parentSchema:schema101,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!(((((key0 === "model_name") || (key0 === "allow_non_validated_model")) || (key0 === "timeout")) || (key0 === "retries")) || (key0 === "cache"))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema101,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.model_name !== undefined){
let data0 = data.model_name;
if(typeof data0 === "string"){
if(!pattern4.test(data0)){
const err2 = {instancePath:instancePath+"/model_name",schemaPath:"#/$defs/name/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"+"\"",schema:"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",parentSchema:schema32,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
else {
const err3 = {instancePath:instancePath+"/model_name",schemaPath:"#/$defs/name/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema32.type,parentSchema:schema32,data:data0};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
if(data.allow_non_validated_model !== undefined){
let data1 = data.allow_non_validated_model;
if(typeof data1 !== "boolean"){
const err4 = {instancePath:instancePath+"/allow_non_validated_model",schemaPath:"#/properties/allow_non_validated_model/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema101.properties.allow_non_validated_model.type,parentSchema:schema101.properties.allow_non_validated_model,data:data1};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
if(data.timeout !== undefined){
let data2 = data.timeout;
if((typeof data2 !== "string") && (!((typeof data2 == "number") && (isFinite(data2))))){
const err5 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data2};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
if((typeof data2 == "number") && (isFinite(data2))){
if(data2 <= 0 || isNaN(data2)){
const err6 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data2};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
if(typeof data2 === "string"){
if(!pattern9.test(data2)){
const err7 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data2};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
}
if(data.retries !== undefined){
let data3 = data.retries;
if(!(((typeof data3 == "number") && (!(data3 % 1) && !isNaN(data3))) && (isFinite(data3)))){
const err8 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema63.type,parentSchema:schema63,data:data3};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
if((typeof data3 == "number") && (isFinite(data3))){
if(data3 > 20 || isNaN(data3)){
const err9 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/maximum",keyword:"maximum",params:{comparison: "<=", limit: 20},message:"must be <= 20",schema:20,parentSchema:schema63,data:data3};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
if(data3 < 0 || isNaN(data3)){
const err10 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema63,data:data3};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
}
if(data.cache !== undefined){
if(!(validate34(data.cache, {instancePath:instancePath+"/cache",parentData:data,parentDataProperty:"cache",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate34.errors : vErrors.concat(validate34.errors);
errors = vErrors.length;
}
}
}
validate58.errors = vErrors;
return errors === 0;
}
validate58.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema105 = {"description":"Brings the model version to an endpoint.","type":["object","null"],"additionalProperties":false,"properties":{"endpoint":{"description":"Name of the endpoint; default is the model's name.","$ref":"#/$defs/endpointName"},"alias":{"description":"Alias that names what serves.","$ref":"#/$defs/name","default":"production"},"strategy":{"description":"How traffic moves to the new revision.","enum":["canary","shadow","blue_green","direct"],"default":"canary"},"canary_steps":{"description":"Shares of traffic in percent, ascending; for a shadow one, the share that is copied.","type":"array","minItems":1,"items":{"type":"integer","minimum":1,"maximum":100}},"promotion":{"description":"Whether the next step waits for a person.","enum":["manual","automatic"],"default":"manual"},"min_requests":{"description":"Requests to see at each step before it is judged.","type":"integer","minimum":0,"default":50},"max_error_rate":{"description":"Share of failed requests above which the rollout is undone.","type":"number","minimum":0,"maximum":1,"default":0.05},"max_latency_p95_ms":{"description":"95th percentile of the latency in milliseconds above which the rollout is undone.","type":"number","exclusiveMinimum":0},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"},"rollback_on_alert":{"description":"Whether a critical alert during the rollout undoes it.","type":"boolean","default":true}}};
const schema106 = {"type":"string","pattern":"^[a-z0-9][a-z0-9._-]{0,127}$","x-expect":"1 to 128 lower case letters, digits, `.`, `_` or `-`, beginning with a letter or digit"};
const pattern24 = new RegExp("^[a-z0-9][a-z0-9._-]{0,127}$", "u");

function validate61(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate61.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((!(data && typeof data == "object" && !Array.isArray(data))) && (data !== null)){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema105.type},message:"must be object,null",schema:schema105.type,parentSchema:schema105,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!(func1.call(schema105.properties, key0))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema105,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.endpoint !== undefined){
let data0 = data.endpoint;
if(typeof data0 === "string"){
if(!pattern24.test(data0)){
const err2 = {instancePath:instancePath+"/endpoint",schemaPath:"#/$defs/endpointName/pattern",keyword:"pattern",params:{pattern: "^[a-z0-9][a-z0-9._-]{0,127}$"},message:"must match pattern \""+"^[a-z0-9][a-z0-9._-]{0,127}$"+"\"",schema:"^[a-z0-9][a-z0-9._-]{0,127}$",parentSchema:schema106,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
else {
const err3 = {instancePath:instancePath+"/endpoint",schemaPath:"#/$defs/endpointName/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema106.type,parentSchema:schema106,data:data0};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
if(data.alias !== undefined){
let data1 = data.alias;
if(typeof data1 === "string"){
if(!pattern4.test(data1)){
const err4 = {instancePath:instancePath+"/alias",schemaPath:"#/$defs/name/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"+"\"",schema:"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",parentSchema:schema32,data:data1};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
else {
const err5 = {instancePath:instancePath+"/alias",schemaPath:"#/$defs/name/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema32.type,parentSchema:schema32,data:data1};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(data.strategy !== undefined){
let data2 = data.strategy;
if(!((((data2 === "canary") || (data2 === "shadow")) || (data2 === "blue_green")) || (data2 === "direct"))){
const err6 = {instancePath:instancePath+"/strategy",schemaPath:"#/properties/strategy/enum",keyword:"enum",params:{allowedValues: schema105.properties.strategy.enum},message:"must be equal to one of the allowed values",schema:schema105.properties.strategy.enum,parentSchema:schema105.properties.strategy,data:data2};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
if(data.canary_steps !== undefined){
let data3 = data.canary_steps;
if(Array.isArray(data3)){
if(data3.length < 1){
const err7 = {instancePath:instancePath+"/canary_steps",schemaPath:"#/properties/canary_steps/minItems",keyword:"minItems",params:{limit: 1},message:"must NOT have fewer than 1 items",schema:1,parentSchema:schema105.properties.canary_steps,data:data3};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
const len0 = data3.length;
for(let i0=0; i0<len0; i0++){
let data4 = data3[i0];
if(!(((typeof data4 == "number") && (!(data4 % 1) && !isNaN(data4))) && (isFinite(data4)))){
const err8 = {instancePath:instancePath+"/canary_steps/" + i0,schemaPath:"#/properties/canary_steps/items/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema105.properties.canary_steps.items.type,parentSchema:schema105.properties.canary_steps.items,data:data4};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 > 100 || isNaN(data4)){
const err9 = {instancePath:instancePath+"/canary_steps/" + i0,schemaPath:"#/properties/canary_steps/items/maximum",keyword:"maximum",params:{comparison: "<=", limit: 100},message:"must be <= 100",schema:100,parentSchema:schema105.properties.canary_steps.items,data:data4};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
if(data4 < 1 || isNaN(data4)){
const err10 = {instancePath:instancePath+"/canary_steps/" + i0,schemaPath:"#/properties/canary_steps/items/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1",schema:1,parentSchema:schema105.properties.canary_steps.items,data:data4};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
}
}
else {
const err11 = {instancePath:instancePath+"/canary_steps",schemaPath:"#/properties/canary_steps/type",keyword:"type",params:{type: "array"},message:"must be array",schema:schema105.properties.canary_steps.type,parentSchema:schema105.properties.canary_steps,data:data3};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
if(data.promotion !== undefined){
let data5 = data.promotion;
if(!((data5 === "manual") || (data5 === "automatic"))){
const err12 = {instancePath:instancePath+"/promotion",schemaPath:"#/properties/promotion/enum",keyword:"enum",params:{allowedValues: schema105.properties.promotion.enum},message:"must be equal to one of the allowed values",schema:schema105.properties.promotion.enum,parentSchema:schema105.properties.promotion,data:data5};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
if(data.min_requests !== undefined){
let data6 = data.min_requests;
if(!(((typeof data6 == "number") && (!(data6 % 1) && !isNaN(data6))) && (isFinite(data6)))){
const err13 = {instancePath:instancePath+"/min_requests",schemaPath:"#/properties/min_requests/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema105.properties.min_requests.type,parentSchema:schema105.properties.min_requests,data:data6};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
if((typeof data6 == "number") && (isFinite(data6))){
if(data6 < 0 || isNaN(data6)){
const err14 = {instancePath:instancePath+"/min_requests",schemaPath:"#/properties/min_requests/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema105.properties.min_requests,data:data6};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
}
}
if(data.max_error_rate !== undefined){
let data7 = data.max_error_rate;
if((typeof data7 == "number") && (isFinite(data7))){
if(data7 > 1 || isNaN(data7)){
const err15 = {instancePath:instancePath+"/max_error_rate",schemaPath:"#/properties/max_error_rate/maximum",keyword:"maximum",params:{comparison: "<=", limit: 1},message:"must be <= 1",schema:1,parentSchema:schema105.properties.max_error_rate,data:data7};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
if(data7 < 0 || isNaN(data7)){
const err16 = {instancePath:instancePath+"/max_error_rate",schemaPath:"#/properties/max_error_rate/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema105.properties.max_error_rate,data:data7};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
}
else {
const err17 = {instancePath:instancePath+"/max_error_rate",schemaPath:"#/properties/max_error_rate/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema105.properties.max_error_rate.type,parentSchema:schema105.properties.max_error_rate,data:data7};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
}
if(data.max_latency_p95_ms !== undefined){
let data8 = data.max_latency_p95_ms;
if((typeof data8 == "number") && (isFinite(data8))){
if(data8 <= 0 || isNaN(data8)){
const err18 = {instancePath:instancePath+"/max_latency_p95_ms",schemaPath:"#/properties/max_latency_p95_ms/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema105.properties.max_latency_p95_ms,data:data8};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
}
else {
const err19 = {instancePath:instancePath+"/max_latency_p95_ms",schemaPath:"#/properties/max_latency_p95_ms/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema105.properties.max_latency_p95_ms.type,parentSchema:schema105.properties.max_latency_p95_ms,data:data8};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
if(data.timeout !== undefined){
let data9 = data.timeout;
if((typeof data9 !== "string") && (!((typeof data9 == "number") && (isFinite(data9))))){
const err20 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data9};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
if((typeof data9 == "number") && (isFinite(data9))){
if(data9 <= 0 || isNaN(data9)){
const err21 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data9};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
}
if(typeof data9 === "string"){
if(!pattern9.test(data9)){
const err22 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data9};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
}
}
if(data.retries !== undefined){
let data10 = data.retries;
if(!(((typeof data10 == "number") && (!(data10 % 1) && !isNaN(data10))) && (isFinite(data10)))){
const err23 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema63.type,parentSchema:schema63,data:data10};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
if((typeof data10 == "number") && (isFinite(data10))){
if(data10 > 20 || isNaN(data10)){
const err24 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/maximum",keyword:"maximum",params:{comparison: "<=", limit: 20},message:"must be <= 20",schema:20,parentSchema:schema63,data:data10};
if(vErrors === null){
vErrors = [err24];
}
else {
vErrors.push(err24);
}
errors++;
}
if(data10 < 0 || isNaN(data10)){
const err25 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema63,data:data10};
if(vErrors === null){
vErrors = [err25];
}
else {
vErrors.push(err25);
}
errors++;
}
}
}
if(data.cache !== undefined){
if(!(validate34(data.cache, {instancePath:instancePath+"/cache",parentData:data,parentDataProperty:"cache",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate34.errors : vErrors.concat(validate34.errors);
errors = vErrors.length;
}
}
if(data.rollback_on_alert !== undefined){
let data12 = data.rollback_on_alert;
if(typeof data12 !== "boolean"){
const err26 = {instancePath:instancePath+"/rollback_on_alert",schemaPath:"#/properties/rollback_on_alert/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema105.properties.rollback_on_alert.type,parentSchema:schema105.properties.rollback_on_alert,data:data12};
if(vErrors === null){
vErrors = [err26];
}
else {
vErrors.push(err26);
}
errors++;
}
}
}
validate61.errors = vErrors;
return errors === 0;
}
validate61.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema110 = {"description":"Watches the endpoint for drift, quality and errors.","type":["object","null"],"additionalProperties":false,"properties":{"endpoint":{"description":"Endpoint to watch; default is the one deployed.","$ref":"#/$defs/endpointName"},"window":{"description":"How much traffic is looked at together.","type":["object","null"],"additionalProperties":false,"properties":{"records":{"description":"Predictions in a window.","type":"integer","minimum":1,"default":500},"max_age":{"description":"A window closes after this time at the latest.","$ref":"#/$defs/duration"}}},"drift":{"description":"Drift of features and predictions against the training data.","type":["object","null"],"additionalProperties":false,"properties":{"features":{"description":"Columns to watch; default all.","$ref":"#/$defs/columns"},"false_alarm_rate":{"description":"Chance of an alarm in a window without drift, over all features.","type":"number","exclusiveMinimum":0,"exclusiveMaximum":1,"default":0.01},"tests":{"description":"Tests to use; default by type of column.","type":"array","minItems":1,"uniqueItems":true,"items":{"enum":["psi","jensen_shannon","kolmogorov_smirnov","chi_squared","wasserstein","missing_rate"]}},"min_effect":{"description":"Smallest PSI that counts, however many rows there are.","type":"number","minimum":0,"default":0.1}}},"rules":{"description":"When an alert is raised.","type":["array","null"],"items":{"$ref":"#/$defs/rule"}},"on_drift":{"description":"What drift leads to.","enum":["retrain","alert"],"default":"alert"},"cool_down":{"description":"Least time between two reactions.","$ref":"#/$defs/duration"},"rollback_on_alert":{"description":"Whether an alert during a rollout undoes it.","type":"boolean","default":true},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}};
const schema113 = {"type":"object","additionalProperties":false,"required":["check"],"properties":{"name":{"description":"Name of the rule; default is its check.","$ref":"#/$defs/name"},"check":{"description":"What is watched.","enum":["feature_drift","prediction_drift","missing_rate","data_quality","error_rate","latency_p95_ms","performance"]},"metric":{"description":"Metric of a performance rule.","$ref":"#/$defs/text"},"threshold":{"description":"Bound of the checks that have one.","type":"number"},"severity":{"description":"How serious an alert is.","enum":["warning","critical"],"default":"warning"},"fire_after":{"description":"Windows that must break the rule.","type":"integer","minimum":1,"default":1},"of_windows":{"description":"Among how many of the last windows; default as many as fire_after.","type":"integer","minimum":1}}};

function validate66(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate66.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.check === undefined){
const err0 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "check"},message:"must have required property '"+"check"+"'",schema:schema113.required,parentSchema:schema113,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
for(const key0 in data){
if(!(((((((key0 === "name") || (key0 === "check")) || (key0 === "metric")) || (key0 === "threshold")) || (key0 === "severity")) || (key0 === "fire_after")) || (key0 === "of_windows"))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema113,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.name !== undefined){
let data0 = data.name;
if(typeof data0 === "string"){
if(!pattern4.test(data0)){
const err2 = {instancePath:instancePath+"/name",schemaPath:"#/$defs/name/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"+"\"",schema:"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",parentSchema:schema32,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
else {
const err3 = {instancePath:instancePath+"/name",schemaPath:"#/$defs/name/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema32.type,parentSchema:schema32,data:data0};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
if(data.check !== undefined){
let data1 = data.check;
if(!(((((((data1 === "feature_drift") || (data1 === "prediction_drift")) || (data1 === "missing_rate")) || (data1 === "data_quality")) || (data1 === "error_rate")) || (data1 === "latency_p95_ms")) || (data1 === "performance"))){
const err4 = {instancePath:instancePath+"/check",schemaPath:"#/properties/check/enum",keyword:"enum",params:{allowedValues: schema113.properties.check.enum},message:"must be equal to one of the allowed values",schema:schema113.properties.check.enum,parentSchema:schema113.properties.check,data:data1};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
if(data.metric !== undefined){
let data2 = data.metric;
if(typeof data2 === "string"){
if(func2(data2) < 1){
const err5 = {instancePath:instancePath+"/metric",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data2};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
else {
const err6 = {instancePath:instancePath+"/metric",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data2};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
if(data.threshold !== undefined){
let data3 = data.threshold;
if(!((typeof data3 == "number") && (isFinite(data3)))){
const err7 = {instancePath:instancePath+"/threshold",schemaPath:"#/properties/threshold/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema113.properties.threshold.type,parentSchema:schema113.properties.threshold,data:data3};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
if(data.severity !== undefined){
let data4 = data.severity;
if(!((data4 === "warning") || (data4 === "critical"))){
const err8 = {instancePath:instancePath+"/severity",schemaPath:"#/properties/severity/enum",keyword:"enum",params:{allowedValues: schema113.properties.severity.enum},message:"must be equal to one of the allowed values",schema:schema113.properties.severity.enum,parentSchema:schema113.properties.severity,data:data4};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
if(data.fire_after !== undefined){
let data5 = data.fire_after;
if(!(((typeof data5 == "number") && (!(data5 % 1) && !isNaN(data5))) && (isFinite(data5)))){
const err9 = {instancePath:instancePath+"/fire_after",schemaPath:"#/properties/fire_after/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema113.properties.fire_after.type,parentSchema:schema113.properties.fire_after,data:data5};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
if((typeof data5 == "number") && (isFinite(data5))){
if(data5 < 1 || isNaN(data5)){
const err10 = {instancePath:instancePath+"/fire_after",schemaPath:"#/properties/fire_after/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1",schema:1,parentSchema:schema113.properties.fire_after,data:data5};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
}
if(data.of_windows !== undefined){
let data6 = data.of_windows;
if(!(((typeof data6 == "number") && (!(data6 % 1) && !isNaN(data6))) && (isFinite(data6)))){
const err11 = {instancePath:instancePath+"/of_windows",schemaPath:"#/properties/of_windows/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema113.properties.of_windows.type,parentSchema:schema113.properties.of_windows,data:data6};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
if((typeof data6 == "number") && (isFinite(data6))){
if(data6 < 1 || isNaN(data6)){
const err12 = {instancePath:instancePath+"/of_windows",schemaPath:"#/properties/of_windows/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1",schema:1,parentSchema:schema113.properties.of_windows,data:data6};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
}
}
else {
const err13 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema113.type,parentSchema:schema113,data};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
validate66.errors = vErrors;
return errors === 0;
}
validate66.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};


function validate64(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate64.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if((!(data && typeof data == "object" && !Array.isArray(data))) && (data !== null)){
const err0 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: schema110.type},message:"must be object,null",schema:schema110.type,parentSchema:schema110,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!(func1.call(schema110.properties, key0))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema110,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.endpoint !== undefined){
let data0 = data.endpoint;
if(typeof data0 === "string"){
if(!pattern24.test(data0)){
const err2 = {instancePath:instancePath+"/endpoint",schemaPath:"#/$defs/endpointName/pattern",keyword:"pattern",params:{pattern: "^[a-z0-9][a-z0-9._-]{0,127}$"},message:"must match pattern \""+"^[a-z0-9][a-z0-9._-]{0,127}$"+"\"",schema:"^[a-z0-9][a-z0-9._-]{0,127}$",parentSchema:schema106,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
else {
const err3 = {instancePath:instancePath+"/endpoint",schemaPath:"#/$defs/endpointName/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema106.type,parentSchema:schema106,data:data0};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
if(data.window !== undefined){
let data1 = data.window;
if((!(data1 && typeof data1 == "object" && !Array.isArray(data1))) && (data1 !== null)){
const err4 = {instancePath:instancePath+"/window",schemaPath:"#/properties/window/type",keyword:"type",params:{type: schema110.properties.window.type},message:"must be object,null",schema:schema110.properties.window.type,parentSchema:schema110.properties.window,data:data1};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
if(data1 && typeof data1 == "object" && !Array.isArray(data1)){
for(const key1 in data1){
if(!((key1 === "records") || (key1 === "max_age"))){
const err5 = {instancePath:instancePath+"/window",schemaPath:"#/properties/window/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key1},message:"must NOT have additional properties",schema:false,parentSchema:schema110.properties.window,data:data1};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(data1.records !== undefined){
let data2 = data1.records;
if(!(((typeof data2 == "number") && (!(data2 % 1) && !isNaN(data2))) && (isFinite(data2)))){
const err6 = {instancePath:instancePath+"/window/records",schemaPath:"#/properties/window/properties/records/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema110.properties.window.properties.records.type,parentSchema:schema110.properties.window.properties.records,data:data2};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
if((typeof data2 == "number") && (isFinite(data2))){
if(data2 < 1 || isNaN(data2)){
const err7 = {instancePath:instancePath+"/window/records",schemaPath:"#/properties/window/properties/records/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1",schema:1,parentSchema:schema110.properties.window.properties.records,data:data2};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
}
if(data1.max_age !== undefined){
let data3 = data1.max_age;
if((typeof data3 !== "string") && (!((typeof data3 == "number") && (isFinite(data3))))){
const err8 = {instancePath:instancePath+"/window/max_age",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data3};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
if((typeof data3 == "number") && (isFinite(data3))){
if(data3 <= 0 || isNaN(data3)){
const err9 = {instancePath:instancePath+"/window/max_age",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data3};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
if(typeof data3 === "string"){
if(!pattern9.test(data3)){
const err10 = {instancePath:instancePath+"/window/max_age",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data3};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
}
}
}
if(data.drift !== undefined){
let data4 = data.drift;
if((!(data4 && typeof data4 == "object" && !Array.isArray(data4))) && (data4 !== null)){
const err11 = {instancePath:instancePath+"/drift",schemaPath:"#/properties/drift/type",keyword:"type",params:{type: schema110.properties.drift.type},message:"must be object,null",schema:schema110.properties.drift.type,parentSchema:schema110.properties.drift,data:data4};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
if(data4 && typeof data4 == "object" && !Array.isArray(data4)){
for(const key2 in data4){
if(!((((key2 === "features") || (key2 === "false_alarm_rate")) || (key2 === "tests")) || (key2 === "min_effect"))){
const err12 = {instancePath:instancePath+"/drift",schemaPath:"#/properties/drift/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key2},message:"must NOT have additional properties",schema:false,parentSchema:schema110.properties.drift,data:data4};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
if(data4.features !== undefined){
if(!(validate38(data4.features, {instancePath:instancePath+"/drift/features",parentData:data4,parentDataProperty:"features",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate38.errors : vErrors.concat(validate38.errors);
errors = vErrors.length;
}
}
if(data4.false_alarm_rate !== undefined){
let data6 = data4.false_alarm_rate;
if((typeof data6 == "number") && (isFinite(data6))){
if(data6 >= 1 || isNaN(data6)){
const err13 = {instancePath:instancePath+"/drift/false_alarm_rate",schemaPath:"#/properties/drift/properties/false_alarm_rate/exclusiveMaximum",keyword:"exclusiveMaximum",params:{comparison: "<", limit: 1},message:"must be < 1",schema:1,parentSchema:schema110.properties.drift.properties.false_alarm_rate,data:data6};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
if(data6 <= 0 || isNaN(data6)){
const err14 = {instancePath:instancePath+"/drift/false_alarm_rate",schemaPath:"#/properties/drift/properties/false_alarm_rate/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema110.properties.drift.properties.false_alarm_rate,data:data6};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
}
else {
const err15 = {instancePath:instancePath+"/drift/false_alarm_rate",schemaPath:"#/properties/drift/properties/false_alarm_rate/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema110.properties.drift.properties.false_alarm_rate.type,parentSchema:schema110.properties.drift.properties.false_alarm_rate,data:data6};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
if(data4.tests !== undefined){
let data7 = data4.tests;
if(Array.isArray(data7)){
if(data7.length < 1){
const err16 = {instancePath:instancePath+"/drift/tests",schemaPath:"#/properties/drift/properties/tests/minItems",keyword:"minItems",params:{limit: 1},message:"must NOT have fewer than 1 items",schema:1,parentSchema:schema110.properties.drift.properties.tests,data:data7};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
const len0 = data7.length;
for(let i0=0; i0<len0; i0++){
let data8 = data7[i0];
if(!((((((data8 === "psi") || (data8 === "jensen_shannon")) || (data8 === "kolmogorov_smirnov")) || (data8 === "chi_squared")) || (data8 === "wasserstein")) || (data8 === "missing_rate"))){
const err17 = {instancePath:instancePath+"/drift/tests/" + i0,schemaPath:"#/properties/drift/properties/tests/items/enum",keyword:"enum",params:{allowedValues: schema110.properties.drift.properties.tests.items.enum},message:"must be equal to one of the allowed values",schema:schema110.properties.drift.properties.tests.items.enum,parentSchema:schema110.properties.drift.properties.tests.items,data:data8};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
}
let i1 = data7.length;
let j0;
if(i1 > 1){
outer0:
for(;i1--;){
for(j0 = i1; j0--;){
if(func0(data7[i1], data7[j0])){
const err18 = {instancePath:instancePath+"/drift/tests",schemaPath:"#/properties/drift/properties/tests/uniqueItems",keyword:"uniqueItems",params:{i: i1, j: j0},message:"must NOT have duplicate items (items ## "+j0+" and "+i1+" are identical)",schema:true,parentSchema:schema110.properties.drift.properties.tests,data:data7};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
break outer0;
}
}
}
}
}
else {
const err19 = {instancePath:instancePath+"/drift/tests",schemaPath:"#/properties/drift/properties/tests/type",keyword:"type",params:{type: "array"},message:"must be array",schema:schema110.properties.drift.properties.tests.type,parentSchema:schema110.properties.drift.properties.tests,data:data7};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
if(data4.min_effect !== undefined){
let data9 = data4.min_effect;
if((typeof data9 == "number") && (isFinite(data9))){
if(data9 < 0 || isNaN(data9)){
const err20 = {instancePath:instancePath+"/drift/min_effect",schemaPath:"#/properties/drift/properties/min_effect/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema110.properties.drift.properties.min_effect,data:data9};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
}
else {
const err21 = {instancePath:instancePath+"/drift/min_effect",schemaPath:"#/properties/drift/properties/min_effect/type",keyword:"type",params:{type: "number"},message:"must be number",schema:schema110.properties.drift.properties.min_effect.type,parentSchema:schema110.properties.drift.properties.min_effect,data:data9};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
}
}
}
if(data.rules !== undefined){
let data10 = data.rules;
if((!(Array.isArray(data10))) && (data10 !== null)){
const err22 = {instancePath:instancePath+"/rules",schemaPath:"#/properties/rules/type",keyword:"type",params:{type: schema110.properties.rules.type},message:"must be array,null",schema:schema110.properties.rules.type,parentSchema:schema110.properties.rules,data:data10};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
if(Array.isArray(data10)){
const len1 = data10.length;
for(let i2=0; i2<len1; i2++){
if(!(validate66(data10[i2], {instancePath:instancePath+"/rules/" + i2,parentData:data10,parentDataProperty:i2,rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate66.errors : vErrors.concat(validate66.errors);
errors = vErrors.length;
}
}
}
}
if(data.on_drift !== undefined){
let data12 = data.on_drift;
if(!((data12 === "retrain") || (data12 === "alert"))){
const err23 = {instancePath:instancePath+"/on_drift",schemaPath:"#/properties/on_drift/enum",keyword:"enum",params:{allowedValues: schema110.properties.on_drift.enum},message:"must be equal to one of the allowed values",schema:schema110.properties.on_drift.enum,parentSchema:schema110.properties.on_drift,data:data12};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
}
if(data.cool_down !== undefined){
let data13 = data.cool_down;
if((typeof data13 !== "string") && (!((typeof data13 == "number") && (isFinite(data13))))){
const err24 = {instancePath:instancePath+"/cool_down",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data13};
if(vErrors === null){
vErrors = [err24];
}
else {
vErrors.push(err24);
}
errors++;
}
if((typeof data13 == "number") && (isFinite(data13))){
if(data13 <= 0 || isNaN(data13)){
const err25 = {instancePath:instancePath+"/cool_down",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data13};
if(vErrors === null){
vErrors = [err25];
}
else {
vErrors.push(err25);
}
errors++;
}
}
if(typeof data13 === "string"){
if(!pattern9.test(data13)){
const err26 = {instancePath:instancePath+"/cool_down",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data13};
if(vErrors === null){
vErrors = [err26];
}
else {
vErrors.push(err26);
}
errors++;
}
}
}
if(data.rollback_on_alert !== undefined){
let data14 = data.rollback_on_alert;
if(typeof data14 !== "boolean"){
const err27 = {instancePath:instancePath+"/rollback_on_alert",schemaPath:"#/properties/rollback_on_alert/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema110.properties.rollback_on_alert.type,parentSchema:schema110.properties.rollback_on_alert,data:data14};
if(vErrors === null){
vErrors = [err27];
}
else {
vErrors.push(err27);
}
errors++;
}
}
if(data.timeout !== undefined){
let data15 = data.timeout;
if((typeof data15 !== "string") && (!((typeof data15 == "number") && (isFinite(data15))))){
const err28 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data15};
if(vErrors === null){
vErrors = [err28];
}
else {
vErrors.push(err28);
}
errors++;
}
if((typeof data15 == "number") && (isFinite(data15))){
if(data15 <= 0 || isNaN(data15)){
const err29 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data15};
if(vErrors === null){
vErrors = [err29];
}
else {
vErrors.push(err29);
}
errors++;
}
}
if(typeof data15 === "string"){
if(!pattern9.test(data15)){
const err30 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data15};
if(vErrors === null){
vErrors = [err30];
}
else {
vErrors.push(err30);
}
errors++;
}
}
}
if(data.retries !== undefined){
let data16 = data.retries;
if(!(((typeof data16 == "number") && (!(data16 % 1) && !isNaN(data16))) && (isFinite(data16)))){
const err31 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema63.type,parentSchema:schema63,data:data16};
if(vErrors === null){
vErrors = [err31];
}
else {
vErrors.push(err31);
}
errors++;
}
if((typeof data16 == "number") && (isFinite(data16))){
if(data16 > 20 || isNaN(data16)){
const err32 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/maximum",keyword:"maximum",params:{comparison: "<=", limit: 20},message:"must be <= 20",schema:20,parentSchema:schema63,data:data16};
if(vErrors === null){
vErrors = [err32];
}
else {
vErrors.push(err32);
}
errors++;
}
if(data16 < 0 || isNaN(data16)){
const err33 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema63,data:data16};
if(vErrors === null){
vErrors = [err33];
}
else {
vErrors.push(err33);
}
errors++;
}
}
}
if(data.cache !== undefined){
if(!(validate34(data.cache, {instancePath:instancePath+"/cache",parentData:data,parentDataProperty:"cache",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate34.errors : vErrors.concat(validate34.errors);
errors = vErrors.length;
}
}
}
validate64.errors = vErrors;
return errors === 0;
}
validate64.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema119 = {"description":"Reads the data to score (MLflow's scoring graph).","type":"object","additionalProperties":false,"required":["using"],"properties":{"using":{"description":"As in ingest.","$ref":"#/$defs/text"},"location":{"$ref":"#/$defs/location"},"sql":{"description":"Query for spark_sql.","$ref":"#/$defs/text"},"loader_method":{"description":"Function in steps/ingest that reads one file.","$ref":"#/$defs/functionName"},"version":{"description":"Version of a Delta table.","type":"integer","minimum":0},"timestamp":{"description":"Time of a Delta table.","type":"string"},"skip_data_profiling":{"$ref":"#/$defs/skipDataProfiling"},"dataset":{"description":"Name of the dataset; default is the project's name with `-scoring`.","$ref":"#/$defs/name"},"csv":{"$ref":"#/$defs/csv"},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"},"cache":{"$ref":"#/$defs/cache"}}};

function validate70(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate70.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.using === undefined){
const err0 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "using"},message:"must have required property '"+"using"+"'",schema:schema119.required,parentSchema:schema119,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
for(const key0 in data){
if(!(func1.call(schema119.properties, key0))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema119,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.using !== undefined){
let data0 = data.using;
if(typeof data0 === "string"){
if(func2(data0) < 1){
const err2 = {instancePath:instancePath+"/using",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
else {
const err3 = {instancePath:instancePath+"/using",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data0};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
if(data.location !== undefined){
if(!(validate28(data.location, {instancePath:instancePath+"/location",parentData:data,parentDataProperty:"location",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate28.errors : vErrors.concat(validate28.errors);
errors = vErrors.length;
}
}
if(data.sql !== undefined){
let data2 = data.sql;
if(typeof data2 === "string"){
if(func2(data2) < 1){
const err4 = {instancePath:instancePath+"/sql",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data2};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
else {
const err5 = {instancePath:instancePath+"/sql",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data2};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(data.loader_method !== undefined){
let data3 = data.loader_method;
if(typeof data3 === "string"){
if(!pattern5.test(data3)){
const err6 = {instancePath:instancePath+"/loader_method",schemaPath:"#/$defs/functionName/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z_$][A-Za-z0-9_$]*$"},message:"must match pattern \""+"^[A-Za-z_$][A-Za-z0-9_$]*$"+"\"",schema:"^[A-Za-z_$][A-Za-z0-9_$]*$",parentSchema:schema37,data:data3};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
else {
const err7 = {instancePath:instancePath+"/loader_method",schemaPath:"#/$defs/functionName/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema37.type,parentSchema:schema37,data:data3};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
if(data.version !== undefined){
let data4 = data.version;
if(!(((typeof data4 == "number") && (!(data4 % 1) && !isNaN(data4))) && (isFinite(data4)))){
const err8 = {instancePath:instancePath+"/version",schemaPath:"#/properties/version/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema119.properties.version.type,parentSchema:schema119.properties.version,data:data4};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 < 0 || isNaN(data4)){
const err9 = {instancePath:instancePath+"/version",schemaPath:"#/properties/version/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema119.properties.version,data:data4};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
}
if(data.timestamp !== undefined){
let data5 = data.timestamp;
if(typeof data5 !== "string"){
const err10 = {instancePath:instancePath+"/timestamp",schemaPath:"#/properties/timestamp/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema119.properties.timestamp.type,parentSchema:schema119.properties.timestamp,data:data5};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
if(data.skip_data_profiling !== undefined){
let data6 = data.skip_data_profiling;
if(typeof data6 !== "boolean"){
const err11 = {instancePath:instancePath+"/skip_data_profiling",schemaPath:"#/$defs/skipDataProfiling/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema61.type,parentSchema:schema61,data:data6};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
if(data.dataset !== undefined){
let data7 = data.dataset;
if(typeof data7 === "string"){
if(!pattern4.test(data7)){
const err12 = {instancePath:instancePath+"/dataset",schemaPath:"#/$defs/name/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"+"\"",schema:"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",parentSchema:schema32,data:data7};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
else {
const err13 = {instancePath:instancePath+"/dataset",schemaPath:"#/$defs/name/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema32.type,parentSchema:schema32,data:data7};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
}
if(data.csv !== undefined){
let data8 = data.csv;
if((!(data8 && typeof data8 == "object" && !Array.isArray(data8))) && (data8 !== null)){
const err14 = {instancePath:instancePath+"/csv",schemaPath:"#/$defs/csv/type",keyword:"type",params:{type: schema49.type},message:"must be object,null",schema:schema49.type,parentSchema:schema49,data:data8};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
if(data8 && typeof data8 == "object" && !Array.isArray(data8)){
for(const key1 in data8){
if(!(((((key1 === "delimiter") || (key1 === "quote")) || (key1 === "header")) || (key1 === "encoding")) || (key1 === "missing_values"))){
const err15 = {instancePath:instancePath+"/csv",schemaPath:"#/$defs/csv/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key1},message:"must NOT have additional properties",schema:false,parentSchema:schema49,data:data8};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
if(data8.delimiter !== undefined){
let data9 = data8.delimiter;
if(typeof data9 !== "string"){
const err16 = {instancePath:instancePath+"/csv/delimiter",schemaPath:"#/$defs/csv/properties/delimiter/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema49.properties.delimiter.type,parentSchema:schema49.properties.delimiter,data:data9};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
}
if(data8.quote !== undefined){
let data10 = data8.quote;
if(typeof data10 !== "string"){
const err17 = {instancePath:instancePath+"/csv/quote",schemaPath:"#/$defs/csv/properties/quote/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema49.properties.quote.type,parentSchema:schema49.properties.quote,data:data10};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
}
if(data8.header !== undefined){
let data11 = data8.header;
if(typeof data11 !== "boolean"){
const err18 = {instancePath:instancePath+"/csv/header",schemaPath:"#/$defs/csv/properties/header/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema49.properties.header.type,parentSchema:schema49.properties.header,data:data11};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
}
if(data8.encoding !== undefined){
let data12 = data8.encoding;
if(typeof data12 !== "string"){
const err19 = {instancePath:instancePath+"/csv/encoding",schemaPath:"#/$defs/csv/properties/encoding/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema49.properties.encoding.type,parentSchema:schema49.properties.encoding,data:data12};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
if(data8.missing_values !== undefined){
let data13 = data8.missing_values;
if(Array.isArray(data13)){
const len0 = data13.length;
for(let i0=0; i0<len0; i0++){
let data14 = data13[i0];
if(typeof data14 !== "string"){
const err20 = {instancePath:instancePath+"/csv/missing_values/" + i0,schemaPath:"#/$defs/csv/properties/missing_values/items/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema49.properties.missing_values.items.type,parentSchema:schema49.properties.missing_values.items,data:data14};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
}
}
else {
const err21 = {instancePath:instancePath+"/csv/missing_values",schemaPath:"#/$defs/csv/properties/missing_values/type",keyword:"type",params:{type: "array"},message:"must be array",schema:schema49.properties.missing_values.type,parentSchema:schema49.properties.missing_values,data:data13};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
}
}
}
if(data.timeout !== undefined){
let data15 = data.timeout;
if((typeof data15 !== "string") && (!((typeof data15 == "number") && (isFinite(data15))))){
const err22 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data15};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
if((typeof data15 == "number") && (isFinite(data15))){
if(data15 <= 0 || isNaN(data15)){
const err23 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data15};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
}
if(typeof data15 === "string"){
if(!pattern9.test(data15)){
const err24 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data15};
if(vErrors === null){
vErrors = [err24];
}
else {
vErrors.push(err24);
}
errors++;
}
}
}
if(data.retries !== undefined){
let data16 = data.retries;
if(!(((typeof data16 == "number") && (!(data16 % 1) && !isNaN(data16))) && (isFinite(data16)))){
const err25 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema63.type,parentSchema:schema63,data:data16};
if(vErrors === null){
vErrors = [err25];
}
else {
vErrors.push(err25);
}
errors++;
}
if((typeof data16 == "number") && (isFinite(data16))){
if(data16 > 20 || isNaN(data16)){
const err26 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/maximum",keyword:"maximum",params:{comparison: "<=", limit: 20},message:"must be <= 20",schema:20,parentSchema:schema63,data:data16};
if(vErrors === null){
vErrors = [err26];
}
else {
vErrors.push(err26);
}
errors++;
}
if(data16 < 0 || isNaN(data16)){
const err27 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema63,data:data16};
if(vErrors === null){
vErrors = [err27];
}
else {
vErrors.push(err27);
}
errors++;
}
}
}
if(data.cache !== undefined){
if(!(validate34(data.cache, {instancePath:instancePath+"/cache",parentData:data,parentDataProperty:"cache",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate34.errors : vErrors.concat(validate34.errors);
errors = vErrors.length;
}
}
}
else {
const err28 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema119.type,parentSchema:schema119,data};
if(vErrors === null){
vErrors = [err28];
}
else {
vErrors.push(err28);
}
errors++;
}
validate70.errors = vErrors;
return errors === 0;
}
validate70.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

const schema128 = {"description":"Scores a batch (MLflow's scoring graph).","type":"object","additionalProperties":false,"required":["output"],"properties":{"output":{"description":"Where predictions go.","type":"object","additionalProperties":false,"required":["using","location"],"properties":{"using":{"description":"Format.","enum":["parquet","delta","table","csv"]},"location":{"description":"Path in the project, or name of a table.","$ref":"#/$defs/text"}}},"model_uri":{"description":"Model to use: `models:/<name>/<version>`, `models:/<name>/latest` or `models:/<name>@<alias>`; default is the latest version of the recipe's model.","$ref":"#/$defs/text"},"result_type":{"description":"Type of the prediction.","type":"string","default":"double"},"save_mode":{"description":"What happens to output that exists.","enum":["default","error","errorifexists","ignore","append","overwrite"],"default":"overwrite"},"skip_data_profiling":{"$ref":"#/$defs/skipDataProfiling"},"timeout":{"$ref":"#/$defs/duration"},"retries":{"$ref":"#/$defs/retries"}}};

function validate74(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate74.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.output === undefined){
const err0 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "output"},message:"must have required property '"+"output"+"'",schema:schema128.required,parentSchema:schema128,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
for(const key0 in data){
if(!(((((((key0 === "output") || (key0 === "model_uri")) || (key0 === "result_type")) || (key0 === "save_mode")) || (key0 === "skip_data_profiling")) || (key0 === "timeout")) || (key0 === "retries"))){
const err1 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema128,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.output !== undefined){
let data0 = data.output;
if(data0 && typeof data0 == "object" && !Array.isArray(data0)){
if(data0.using === undefined){
const err2 = {instancePath:instancePath+"/output",schemaPath:"#/properties/output/required",keyword:"required",params:{missingProperty: "using"},message:"must have required property '"+"using"+"'",schema:schema128.properties.output.required,parentSchema:schema128.properties.output,data:data0};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
if(data0.location === undefined){
const err3 = {instancePath:instancePath+"/output",schemaPath:"#/properties/output/required",keyword:"required",params:{missingProperty: "location"},message:"must have required property '"+"location"+"'",schema:schema128.properties.output.required,parentSchema:schema128.properties.output,data:data0};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
for(const key1 in data0){
if(!((key1 === "using") || (key1 === "location"))){
const err4 = {instancePath:instancePath+"/output",schemaPath:"#/properties/output/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key1},message:"must NOT have additional properties",schema:false,parentSchema:schema128.properties.output,data:data0};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
if(data0.using !== undefined){
let data1 = data0.using;
if(!((((data1 === "parquet") || (data1 === "delta")) || (data1 === "table")) || (data1 === "csv"))){
const err5 = {instancePath:instancePath+"/output/using",schemaPath:"#/properties/output/properties/using/enum",keyword:"enum",params:{allowedValues: schema128.properties.output.properties.using.enum},message:"must be equal to one of the allowed values",schema:schema128.properties.output.properties.using.enum,parentSchema:schema128.properties.output.properties.using,data:data1};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(data0.location !== undefined){
let data2 = data0.location;
if(typeof data2 === "string"){
if(func2(data2) < 1){
const err6 = {instancePath:instancePath+"/output/location",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data2};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
else {
const err7 = {instancePath:instancePath+"/output/location",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data2};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
}
else {
const err8 = {instancePath:instancePath+"/output",schemaPath:"#/properties/output/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema128.properties.output.type,parentSchema:schema128.properties.output,data:data0};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
if(data.model_uri !== undefined){
let data3 = data.model_uri;
if(typeof data3 === "string"){
if(func2(data3) < 1){
const err9 = {instancePath:instancePath+"/model_uri",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data3};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
else {
const err10 = {instancePath:instancePath+"/model_uri",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data3};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
if(data.result_type !== undefined){
let data4 = data.result_type;
if(typeof data4 !== "string"){
const err11 = {instancePath:instancePath+"/result_type",schemaPath:"#/properties/result_type/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema128.properties.result_type.type,parentSchema:schema128.properties.result_type,data:data4};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
if(data.save_mode !== undefined){
let data5 = data.save_mode;
if(!((((((data5 === "default") || (data5 === "error")) || (data5 === "errorifexists")) || (data5 === "ignore")) || (data5 === "append")) || (data5 === "overwrite"))){
const err12 = {instancePath:instancePath+"/save_mode",schemaPath:"#/properties/save_mode/enum",keyword:"enum",params:{allowedValues: schema128.properties.save_mode.enum},message:"must be equal to one of the allowed values",schema:schema128.properties.save_mode.enum,parentSchema:schema128.properties.save_mode,data:data5};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
if(data.skip_data_profiling !== undefined){
let data6 = data.skip_data_profiling;
if(typeof data6 !== "boolean"){
const err13 = {instancePath:instancePath+"/skip_data_profiling",schemaPath:"#/$defs/skipDataProfiling/type",keyword:"type",params:{type: "boolean"},message:"must be boolean",schema:schema61.type,parentSchema:schema61,data:data6};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
}
if(data.timeout !== undefined){
let data7 = data.timeout;
if((typeof data7 !== "string") && (!((typeof data7 == "number") && (isFinite(data7))))){
const err14 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data7};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
if((typeof data7 == "number") && (isFinite(data7))){
if(data7 <= 0 || isNaN(data7)){
const err15 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data7};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
if(typeof data7 === "string"){
if(!pattern9.test(data7)){
const err16 = {instancePath:instancePath+"/timeout",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data7};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
}
}
if(data.retries !== undefined){
let data8 = data.retries;
if(!(((typeof data8 == "number") && (!(data8 % 1) && !isNaN(data8))) && (isFinite(data8)))){
const err17 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema63.type,parentSchema:schema63,data:data8};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
if((typeof data8 == "number") && (isFinite(data8))){
if(data8 > 20 || isNaN(data8)){
const err18 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/maximum",keyword:"maximum",params:{comparison: "<=", limit: 20},message:"must be <= 20",schema:20,parentSchema:schema63,data:data8};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
if(data8 < 0 || isNaN(data8)){
const err19 = {instancePath:instancePath+"/retries",schemaPath:"#/$defs/retries/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema63,data:data8};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
}
}
else {
const err20 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema128.type,parentSchema:schema128,data};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
validate74.errors = vErrors;
return errors === 0;
}
validate74.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};


function validate20(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
/*# sourceURL="https://millrace.dev/schema/recipe.schema.json" */;
let vErrors = null;
let errors = 0;
const evaluated0 = validate20.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.recipe === undefined){
const err0 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "recipe"},message:"must have required property '"+"recipe"+"'",schema:schema31.required,parentSchema:schema31,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
if(data.target_col === undefined){
const err1 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "target_col"},message:"must have required property '"+"target_col"+"'",schema:schema31.required,parentSchema:schema31,data};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
if(data.steps === undefined){
const err2 = {instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: "steps"},message:"must have required property '"+"steps"+"'",schema:schema31.required,parentSchema:schema31,data};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
for(const key0 in data){
if(!(func1.call(schema31.properties, key0))){
const err3 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema31,data};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
if(data.recipe !== undefined){
let data0 = data.recipe;
if(!((data0 === "regression/v1") || (data0 === "classification/v1"))){
const err4 = {instancePath:instancePath+"/recipe",schemaPath:"#/properties/recipe/enum",keyword:"enum",params:{allowedValues: schema31.properties.recipe.enum},message:"must be equal to one of the allowed values",schema:schema31.properties.recipe.enum,parentSchema:schema31.properties.recipe,data:data0};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
if(data.name !== undefined){
let data1 = data.name;
if(typeof data1 === "string"){
if(!pattern4.test(data1)){
const err5 = {instancePath:instancePath+"/name",schemaPath:"#/$defs/name/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"+"\"",schema:"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",parentSchema:schema32,data:data1};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
else {
const err6 = {instancePath:instancePath+"/name",schemaPath:"#/$defs/name/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema32.type,parentSchema:schema32,data:data1};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
if(data.metadata !== undefined){
let data2 = data.metadata;
if(data2 && typeof data2 == "object" && !Array.isArray(data2)){
for(const key1 in data2){
let data3 = data2[key1];
if(((typeof data3 !== "string") && (!((typeof data3 == "number") && (isFinite(data3))))) && (typeof data3 !== "boolean")){
const err7 = {instancePath:instancePath+"/metadata/" + key1.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/metadata/additionalProperties/type",keyword:"type",params:{type: schema31.properties.metadata.additionalProperties.type},message:"must be string,number,boolean",schema:schema31.properties.metadata.additionalProperties.type,parentSchema:schema31.properties.metadata.additionalProperties,data:data3};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
}
else {
const err8 = {instancePath:instancePath+"/metadata",schemaPath:"#/properties/metadata/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema31.properties.metadata.type,parentSchema:schema31.properties.metadata,data:data2};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
if(data.seed !== undefined){
let data4 = data.seed;
if(!(((typeof data4 == "number") && (!(data4 % 1) && !isNaN(data4))) && (isFinite(data4)))){
const err9 = {instancePath:instancePath+"/seed",schemaPath:"#/properties/seed/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema31.properties.seed.type,parentSchema:schema31.properties.seed,data:data4};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 > 4294967295 || isNaN(data4)){
const err10 = {instancePath:instancePath+"/seed",schemaPath:"#/properties/seed/maximum",keyword:"maximum",params:{comparison: "<=", limit: 4294967295},message:"must be <= 4294967295",schema:4294967295,parentSchema:schema31.properties.seed,data:data4};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
if(data4 < 0 || isNaN(data4)){
const err11 = {instancePath:instancePath+"/seed",schemaPath:"#/properties/seed/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema31.properties.seed,data:data4};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
}
if(data.target_col !== undefined){
let data5 = data.target_col;
if(typeof data5 === "string"){
if(func2(data5) < 1){
const err12 = {instancePath:instancePath+"/target_col",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data5};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
else {
const err13 = {instancePath:instancePath+"/target_col",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data5};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
}
if(data.positive_class !== undefined){
let data6 = data.positive_class;
if(((typeof data6 !== "string") && (!((typeof data6 == "number") && (isFinite(data6))))) && (typeof data6 !== "boolean")){
const err14 = {instancePath:instancePath+"/positive_class",schemaPath:"#/properties/positive_class/type",keyword:"type",params:{type: schema31.properties.positive_class.type},message:"must be string,number,boolean",schema:schema31.properties.positive_class.type,parentSchema:schema31.properties.positive_class,data:data6};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
}
if(data.primary_metric !== undefined){
let data7 = data.primary_metric;
if(typeof data7 === "string"){
if(func2(data7) < 1){
const err15 = {instancePath:instancePath+"/primary_metric",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data7};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
else {
const err16 = {instancePath:instancePath+"/primary_metric",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data7};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
}
if(data.custom_metrics !== undefined){
let data8 = data.custom_metrics;
if((!(Array.isArray(data8))) && (data8 !== null)){
const err17 = {instancePath:instancePath+"/custom_metrics",schemaPath:"#/properties/custom_metrics/type",keyword:"type",params:{type: schema31.properties.custom_metrics.type},message:"must be array,null",schema:schema31.properties.custom_metrics.type,parentSchema:schema31.properties.custom_metrics,data:data8};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
if(Array.isArray(data8)){
const len0 = data8.length;
for(let i0=0; i0<len0; i0++){
if(!(validate21(data8[i0], {instancePath:instancePath+"/custom_metrics/" + i0,parentData:data8,parentDataProperty:i0,rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate21.errors : vErrors.concat(validate21.errors);
errors = vErrors.length;
}
}
}
}
if(data.experiment !== undefined){
if(!(validate23(data.experiment, {instancePath:instancePath+"/experiment",parentData:data,parentDataProperty:"experiment",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate23.errors : vErrors.concat(validate23.errors);
errors = vErrors.length;
}
}
if(data.model_registry !== undefined){
if(!(validate25(data.model_registry, {instancePath:instancePath+"/model_registry",parentData:data,parentDataProperty:"model_registry",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate25.errors : vErrors.concat(validate25.errors);
errors = vErrors.length;
}
}
if(data.steps !== undefined){
let data12 = data.steps;
if(data12 && typeof data12 == "object" && !Array.isArray(data12)){
if(data12.ingest === undefined){
const err18 = {instancePath:instancePath+"/steps",schemaPath:"#/properties/steps/required",keyword:"required",params:{missingProperty: "ingest"},message:"must have required property '"+"ingest"+"'",schema:schema31.properties.steps.required,parentSchema:schema31.properties.steps,data:data12};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
for(const key2 in data12){
if(!(func1.call(schema31.properties.steps.properties, key2))){
const err19 = {instancePath:instancePath+"/steps",schemaPath:"#/properties/steps/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key2},message:"must NOT have additional properties",schema:false,parentSchema:schema31.properties.steps,data:data12};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
if(data12.ingest !== undefined){
if(!(validate27(data12.ingest, {instancePath:instancePath+"/steps/ingest",parentData:data12,parentDataProperty:"ingest",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate27.errors : vErrors.concat(validate27.errors);
errors = vErrors.length;
}
}
if(data12.split !== undefined){
if(!(validate37(data12.split, {instancePath:instancePath+"/steps/split",parentData:data12,parentDataProperty:"split",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate37.errors : vErrors.concat(validate37.errors);
errors = vErrors.length;
}
}
if(data12.transform !== undefined){
if(!(validate42(data12.transform, {instancePath:instancePath+"/steps/transform",parentData:data12,parentDataProperty:"transform",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate42.errors : vErrors.concat(validate42.errors);
errors = vErrors.length;
}
}
if(data12.train !== undefined){
if(!(validate46(data12.train, {instancePath:instancePath+"/steps/train",parentData:data12,parentDataProperty:"train",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate46.errors : vErrors.concat(validate46.errors);
errors = vErrors.length;
}
}
if(data12.evaluate !== undefined){
if(!(validate51(data12.evaluate, {instancePath:instancePath+"/steps/evaluate",parentData:data12,parentDataProperty:"evaluate",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate51.errors : vErrors.concat(validate51.errors);
errors = vErrors.length;
}
}
if(data12.register !== undefined){
if(!(validate58(data12.register, {instancePath:instancePath+"/steps/register",parentData:data12,parentDataProperty:"register",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate58.errors : vErrors.concat(validate58.errors);
errors = vErrors.length;
}
}
if(data12.deploy !== undefined){
if(!(validate61(data12.deploy, {instancePath:instancePath+"/steps/deploy",parentData:data12,parentDataProperty:"deploy",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate61.errors : vErrors.concat(validate61.errors);
errors = vErrors.length;
}
}
if(data12.monitor !== undefined){
if(!(validate64(data12.monitor, {instancePath:instancePath+"/steps/monitor",parentData:data12,parentDataProperty:"monitor",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate64.errors : vErrors.concat(validate64.errors);
errors = vErrors.length;
}
}
if(data12.ingest_scoring !== undefined){
if(!(validate70(data12.ingest_scoring, {instancePath:instancePath+"/steps/ingest_scoring",parentData:data12,parentDataProperty:"ingest_scoring",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate70.errors : vErrors.concat(validate70.errors);
errors = vErrors.length;
}
}
if(data12.predict !== undefined){
if(!(validate74(data12.predict, {instancePath:instancePath+"/steps/predict",parentData:data12,parentDataProperty:"predict",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate74.errors : vErrors.concat(validate74.errors);
errors = vErrors.length;
}
}
}
else {
const err20 = {instancePath:instancePath+"/steps",schemaPath:"#/properties/steps/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema31.properties.steps.type,parentSchema:schema31.properties.steps,data:data12};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
}
}
else {
const err21 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema31.type,parentSchema:schema31,data};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
validate20.errors = vErrors;
return errors === 0;
}
validate20.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};

export const validateContract = validate76;

function validate76(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate76.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!(((((key0 === "columns") || (key0 === "row_count")) || (key0 === "freshness")) || (key0 === "constraints")) || (key0 === "on_violation"))){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties",schema:false,parentSchema:schema50,data};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
if(data.columns !== undefined){
let data0 = data.columns;
if(data0 && typeof data0 == "object" && !Array.isArray(data0)){
for(const key1 in data0){
if(!(validate31(data0[key1], {instancePath:instancePath+"/columns/" + key1.replace(/~/g, "~0").replace(/\//g, "~1"),parentData:data0,parentDataProperty:key1,rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate31.errors : vErrors.concat(validate31.errors);
errors = vErrors.length;
}
}
}
else {
const err1 = {instancePath:instancePath+"/columns",schemaPath:"#/properties/columns/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema50.properties.columns.type,parentSchema:schema50.properties.columns,data:data0};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
if(data.row_count !== undefined){
let data2 = data.row_count;
if(data2 && typeof data2 == "object" && !Array.isArray(data2)){
for(const key2 in data2){
if(!(((key2 === "min") || (key2 === "max")) || (key2 === "on_violation"))){
const err2 = {instancePath:instancePath+"/row_count",schemaPath:"#/properties/row_count/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key2},message:"must NOT have additional properties",schema:false,parentSchema:schema50.properties.row_count,data:data2};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
if(data2.min !== undefined){
let data3 = data2.min;
if(!(((typeof data3 == "number") && (!(data3 % 1) && !isNaN(data3))) && (isFinite(data3)))){
const err3 = {instancePath:instancePath+"/row_count/min",schemaPath:"#/properties/row_count/properties/min/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema50.properties.row_count.properties.min.type,parentSchema:schema50.properties.row_count.properties.min,data:data3};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
if((typeof data3 == "number") && (isFinite(data3))){
if(data3 < 0 || isNaN(data3)){
const err4 = {instancePath:instancePath+"/row_count/min",schemaPath:"#/properties/row_count/properties/min/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema50.properties.row_count.properties.min,data:data3};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
}
if(data2.max !== undefined){
let data4 = data2.max;
if(!(((typeof data4 == "number") && (!(data4 % 1) && !isNaN(data4))) && (isFinite(data4)))){
const err5 = {instancePath:instancePath+"/row_count/max",schemaPath:"#/properties/row_count/properties/max/type",keyword:"type",params:{type: "integer"},message:"must be integer",schema:schema50.properties.row_count.properties.max.type,parentSchema:schema50.properties.row_count.properties.max,data:data4};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 < 0 || isNaN(data4)){
const err6 = {instancePath:instancePath+"/row_count/max",schemaPath:"#/properties/row_count/properties/max/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0",schema:0,parentSchema:schema50.properties.row_count.properties.max,data:data4};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
}
if(data2.on_violation !== undefined){
let data5 = data2.on_violation;
if(!((data5 === "block") || (data5 === "warn"))){
const err7 = {instancePath:instancePath+"/row_count/on_violation",schemaPath:"#/$defs/datasetViolation/enum",keyword:"enum",params:{allowedValues: schema53.enum},message:"must be equal to one of the allowed values",schema:schema53.enum,parentSchema:schema53,data:data5};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
}
else {
const err8 = {instancePath:instancePath+"/row_count",schemaPath:"#/properties/row_count/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema50.properties.row_count.type,parentSchema:schema50.properties.row_count,data:data2};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
if(data.freshness !== undefined){
let data6 = data.freshness;
if(data6 && typeof data6 == "object" && !Array.isArray(data6)){
if(data6.column === undefined){
const err9 = {instancePath:instancePath+"/freshness",schemaPath:"#/properties/freshness/required",keyword:"required",params:{missingProperty: "column"},message:"must have required property '"+"column"+"'",schema:schema50.properties.freshness.required,parentSchema:schema50.properties.freshness,data:data6};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
if(data6.max_age === undefined){
const err10 = {instancePath:instancePath+"/freshness",schemaPath:"#/properties/freshness/required",keyword:"required",params:{missingProperty: "max_age"},message:"must have required property '"+"max_age"+"'",schema:schema50.properties.freshness.required,parentSchema:schema50.properties.freshness,data:data6};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
for(const key3 in data6){
if(!(((key3 === "column") || (key3 === "max_age")) || (key3 === "on_violation"))){
const err11 = {instancePath:instancePath+"/freshness",schemaPath:"#/properties/freshness/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key3},message:"must NOT have additional properties",schema:false,parentSchema:schema50.properties.freshness,data:data6};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
if(data6.column !== undefined){
let data7 = data6.column;
if(typeof data7 === "string"){
if(func2(data7) < 1){
const err12 = {instancePath:instancePath+"/freshness/column",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data7};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
else {
const err13 = {instancePath:instancePath+"/freshness/column",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data7};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
}
if(data6.max_age !== undefined){
let data8 = data6.max_age;
if((typeof data8 !== "string") && (!((typeof data8 == "number") && (isFinite(data8))))){
const err14 = {instancePath:instancePath+"/freshness/max_age",schemaPath:"#/$defs/duration/type",keyword:"type",params:{type: schema55.type},message:"must be string,number",schema:schema55.type,parentSchema:schema55,data:data8};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
if((typeof data8 == "number") && (isFinite(data8))){
if(data8 <= 0 || isNaN(data8)){
const err15 = {instancePath:instancePath+"/freshness/max_age",schemaPath:"#/$defs/duration/exclusiveMinimum",keyword:"exclusiveMinimum",params:{comparison: ">", limit: 0},message:"must be > 0",schema:0,parentSchema:schema55,data:data8};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
if(typeof data8 === "string"){
if(!pattern9.test(data8)){
const err16 = {instancePath:instancePath+"/freshness/max_age",schemaPath:"#/$defs/duration/pattern",keyword:"pattern",params:{pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"},message:"must match pattern \""+"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"+"\"",schema:"^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",parentSchema:schema55,data:data8};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
}
}
if(data6.on_violation !== undefined){
let data9 = data6.on_violation;
if(!((data9 === "block") || (data9 === "warn"))){
const err17 = {instancePath:instancePath+"/freshness/on_violation",schemaPath:"#/$defs/datasetViolation/enum",keyword:"enum",params:{allowedValues: schema53.enum},message:"must be equal to one of the allowed values",schema:schema53.enum,parentSchema:schema53,data:data9};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
}
}
else {
const err18 = {instancePath:instancePath+"/freshness",schemaPath:"#/properties/freshness/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema50.properties.freshness.type,parentSchema:schema50.properties.freshness,data:data6};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
}
if(data.constraints !== undefined){
let data10 = data.constraints;
if(Array.isArray(data10)){
const len0 = data10.length;
for(let i0=0; i0<len0; i0++){
let data11 = data10[i0];
if(data11 && typeof data11 == "object" && !Array.isArray(data11)){
if(data11.expression === undefined){
const err19 = {instancePath:instancePath+"/constraints/" + i0,schemaPath:"#/properties/constraints/items/required",keyword:"required",params:{missingProperty: "expression"},message:"must have required property '"+"expression"+"'",schema:schema50.properties.constraints.items.required,parentSchema:schema50.properties.constraints.items,data:data11};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
for(const key4 in data11){
if(!(((key4 === "name") || (key4 === "expression")) || (key4 === "on_violation"))){
const err20 = {instancePath:instancePath+"/constraints/" + i0,schemaPath:"#/properties/constraints/items/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key4},message:"must NOT have additional properties",schema:false,parentSchema:schema50.properties.constraints.items,data:data11};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
}
if(data11.name !== undefined){
let data12 = data11.name;
if(typeof data12 === "string"){
if(!pattern4.test(data12)){
const err21 = {instancePath:instancePath+"/constraints/" + i0+"/name",schemaPath:"#/$defs/name/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"+"\"",schema:"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",parentSchema:schema32,data:data12};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
}
else {
const err22 = {instancePath:instancePath+"/constraints/" + i0+"/name",schemaPath:"#/$defs/name/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema32.type,parentSchema:schema32,data:data12};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
}
if(data11.expression !== undefined){
let data13 = data11.expression;
if(typeof data13 === "string"){
if(func2(data13) < 1){
const err23 = {instancePath:instancePath+"/constraints/" + i0+"/expression",schemaPath:"#/$defs/text/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters",schema:1,parentSchema:schema33,data:data13};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
}
else {
const err24 = {instancePath:instancePath+"/constraints/" + i0+"/expression",schemaPath:"#/$defs/text/type",keyword:"type",params:{type: "string"},message:"must be string",schema:schema33.type,parentSchema:schema33,data:data13};
if(vErrors === null){
vErrors = [err24];
}
else {
vErrors.push(err24);
}
errors++;
}
}
if(data11.on_violation !== undefined){
let data14 = data11.on_violation;
if(!(((data14 === "block") || (data14 === "quarantine")) || (data14 === "warn"))){
const err25 = {instancePath:instancePath+"/constraints/" + i0+"/on_violation",schemaPath:"#/$defs/violation/enum",keyword:"enum",params:{allowedValues: schema52.enum},message:"must be equal to one of the allowed values",schema:schema52.enum,parentSchema:schema52,data:data14};
if(vErrors === null){
vErrors = [err25];
}
else {
vErrors.push(err25);
}
errors++;
}
}
}
else {
const err26 = {instancePath:instancePath+"/constraints/" + i0,schemaPath:"#/properties/constraints/items/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema50.properties.constraints.items.type,parentSchema:schema50.properties.constraints.items,data:data11};
if(vErrors === null){
vErrors = [err26];
}
else {
vErrors.push(err26);
}
errors++;
}
}
}
else {
const err27 = {instancePath:instancePath+"/constraints",schemaPath:"#/properties/constraints/type",keyword:"type",params:{type: "array"},message:"must be array",schema:schema50.properties.constraints.type,parentSchema:schema50.properties.constraints,data:data10};
if(vErrors === null){
vErrors = [err27];
}
else {
vErrors.push(err27);
}
errors++;
}
}
if(data.on_violation !== undefined){
let data15 = data.on_violation;
if(!(((data15 === "block") || (data15 === "quarantine")) || (data15 === "warn"))){
const err28 = {instancePath:instancePath+"/on_violation",schemaPath:"#/$defs/violation/enum",keyword:"enum",params:{allowedValues: schema52.enum},message:"must be equal to one of the allowed values",schema:schema52.enum,parentSchema:schema52,data:data15};
if(vErrors === null){
vErrors = [err28];
}
else {
vErrors.push(err28);
}
errors++;
}
}
}
else {
const err29 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object",schema:schema50.type,parentSchema:schema50,data};
if(vErrors === null){
vErrors = [err29];
}
else {
vErrors.push(err29);
}
errors++;
}
validate76.errors = vErrors;
return errors === 0;
}
validate76.evaluated = {"props":true,"dynamicProps":false,"dynamicItems":false};
