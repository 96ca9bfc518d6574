package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
	"go.yaml.in/yaml/v3"
)

// The part of promtool's test files that is used here. Texts of annotations are not compared.
type testFile struct {
	RuleFiles          []string       `yaml:"rule_files"`
	EvaluationInterval model.Duration `yaml:"evaluation_interval"`
	Tests              []testGroup    `yaml:"tests"`
}

type testGroup struct {
	Name        string         `yaml:"name"`
	Interval    model.Duration `yaml:"interval"`
	InputSeries []struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	} `yaml:"input_series"`
	AlertRuleTests []struct {
		EvalTime  model.Duration `yaml:"eval_time"`
		Alertname string         `yaml:"alertname"`
		ExpAlerts []struct {
			ExpLabels map[string]string `yaml:"exp_labels"`
		} `yaml:"exp_alerts"`
	} `yaml:"alert_rule_test"`
}

func testRules(rulesFile, file string) error {
	rules, err := readRules(rulesFile)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var tests testFile
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&tests); err != nil {
		return err
	}
	failures, checks := []string{}, 0
	for _, group := range tests.Tests {
		failed, err := testGroupOf(group, rules, time.Duration(tests.EvaluationInterval))
		if err != nil {
			return fmt.Errorf("%s: %w", group.Name, err)
		}
		checks += len(group.AlertRuleTests)
		failures = append(failures, failed...)
	}
	if len(failures) > 0 {
		return fmt.Errorf("%s", strings.Join(failures, "\n"))
	}
	fmt.Printf("%d checks of %d cases passed\n", checks, len(tests.Tests))
	return nil
}

func testGroupOf(group testGroup, rules []rulefmt.Rule, interval time.Duration) ([]string, error) {
	series, err := seriesOf(group)
	if err != nil {
		return nil, err
	}
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return interval.Milliseconds() },
	})
	failures := []string{}
	for _, check := range group.AlertRuleTests {
		found := 0
		for _, each := range rules {
			if each.Alert != check.Alertname {
				continue
			}
			found++
			firing, err := firingAt(engine, series, each, interval, time.Duration(check.EvalTime))
			if err != nil {
				return nil, err
			}
			expected := []map[string]string{}
			for _, alert := range check.ExpAlerts {
				expected = append(expected, alert.ExpLabels)
			}
			if !sameAlerts(firing, expected) {
				failures = append(failures, fmt.Sprintf("%s: %s at %s: expected %v, but %v fire",
					group.Name, check.Alertname, check.EvalTime, expected, firing))
			}
		}
		if found != 1 {
			return nil, fmt.Errorf("%d rules have the name %s", found, check.Alertname)
		}
	}
	return failures, nil
}

// The labels, without the name of the alert, of the alerts that fire: whose expression held for as long as `for` says.
func firingAt(engine *promql.Engine, series seriesSet, rule rulefmt.Rule, interval, at time.Duration) ([]map[string]string, error) {
	activeSince := map[string]time.Duration{}
	var firing []map[string]string
	for now := time.Duration(0); now <= at; now += interval {
		query, err := engine.NewInstantQuery(context.Background(), series, nil, rule.Expr, time.UnixMilli(now.Milliseconds()))
		if err != nil {
			return nil, err
		}
		result := query.Exec(context.Background())
		if result.Err != nil {
			return nil, result.Err
		}
		vector, err := result.Vector()
		if err != nil {
			return nil, err
		}
		active := map[string]time.Duration{}
		firing = []map[string]string{}
		for _, sample := range vector {
			shown := sample.Metric.Map()
			delete(shown, labels.MetricName)
			for name, value := range rule.Labels {
				shown[name] = value
			}
			key := labels.FromMap(shown).String()
			since, known := activeSince[key]
			if !known {
				since = now
			}
			active[key] = since
			if now-since >= time.Duration(rule.For) {
				firing = append(firing, shown)
			}
		}
		activeSince = active
		query.Close()
	}
	return firing, nil
}

func sameAlerts(a, b []map[string]string) bool {
	texts := func(alerts []map[string]string) []string {
		shown := []string{}
		for _, alert := range alerts {
			shown = append(shown, labels.FromMap(alert).String())
		}
		sort.Strings(shown)
		return shown
	}
	return reflect.DeepEqual(texts(a), texts(b))
}

// A number at a time.
type sample struct {
	time  int64
	value float64
}

func (s sample) T() int64                    { return s.time }
func (s sample) F() float64                  { return s.value }
func (sample) ST() int64                     { return 0 }
func (sample) H() *histogram.Histogram       { return nil }
func (sample) FH() *histogram.FloatHistogram { return nil }
func (sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample         { return s }

func seriesOf(group testGroup) (seriesSet, error) {
	interval := time.Duration(group.Interval).Milliseconds()
	set := seriesSet{}
	for _, input := range group.InputSeries {
		metric, values, err := parser.ParseSeriesDesc(input.Series + " " + input.Values)
		if err != nil {
			return nil, err
		}
		samples := []chunks.Sample{}
		for i, value := range values {
			if !value.Omitted {
				samples = append(samples, sample{int64(i) * interval, value.Value})
			}
		}
		set = append(set, storage.NewListSeries(metric, samples))
	}
	return set, nil
}

// The store of a test: a list of series.
type seriesSet []storage.Series

func (s seriesSet) Querier(int64, int64) (storage.Querier, error) { return querier{s}, nil }

type querier struct{ series seriesSet }

func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	found := seriesSet{}
	for _, series := range q.series {
		if matchesAll(series.Labels(), matchers) {
			found = append(found, series)
		}
	}
	sort.Slice(found, func(a, b int) bool { return labels.Compare(found[a].Labels(), found[b].Labels()) < 0 })
	return &selection{found, -1}
}

func matchesAll(metric labels.Labels, matchers []*labels.Matcher) bool {
	for _, matcher := range matchers {
		if !matcher.Matches(metric.Get(matcher.Name)) {
			return false
		}
	}
	return true
}

func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) Close() error { return nil }

type selection struct {
	series seriesSet
	at     int
}

func (s *selection) Next() bool                        { s.at++; return s.at < len(s.series) }
func (s *selection) At() storage.Series                { return s.series[s.at] }
func (s *selection) Err() error                        { return nil }
func (s *selection) Warnings() annotations.Annotations { return nil }
