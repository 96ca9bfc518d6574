// Checks what Prometheus is given, by Prometheus' own code: its parser of rules and expressions, its engine, and the
// parser of its text format. A small part of promtool, which takes several times as long to build.
//
//	check rules <rules file>              prints the rules, with the series that they read
//	check expressions < <JSON list>       prints the series that the expressions read
//	check test <rules file> <test file>   unit tests of alerts, in promtool's format (promtool test rules)
//	check metrics < <text>                prints the families of the text format 0.0.4
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// What an expression reads: a metric, and the names of labels that are asked of it.
type selector struct {
	Metric string   `json:"metric"`
	Labels []string `json:"labels"`
}

type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Selectors   []selector        `json:"selectors"`
	Groupings   []string          `json:"groupings"`
}

type expression struct {
	Selectors []selector `json:"selectors"`
	Groupings []string   `json:"groupings"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "rules":
		return printRules(args[1])
	case len(args) == 1 && args[0] == "expressions":
		return printExpressions(os.Stdin)
	case len(args) == 3 && args[0] == "test":
		return testRules(args[1], args[2])
	case len(args) == 1 && args[0] == "metrics":
		return printFamilies(os.Stdin)
	}
	return fmt.Errorf("usage: check rules|expressions|test|metrics …")
}

func readRules(file string) ([]rulefmt.Rule, error) {
	groups, errs := rulefmt.ParseFile(file, false, model.LegacyValidation)
	if len(errs) > 0 {
		return nil, fmt.Errorf("%s: %v", file, errs)
	}
	var rules []rulefmt.Rule
	for _, group := range groups.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules, nil
}

func printRules(file string) error {
	rules, err := readRules(file)
	if err != nil {
		return err
	}
	shown := []rule{}
	for _, each := range rules {
		read, err := readExpression(each.Expr)
		if err != nil {
			return err
		}
		shown = append(shown, rule{
			Alert: each.Alert, Expr: each.Expr, For: each.For.String(), Labels: each.Labels,
			Annotations: each.Annotations, Selectors: read.Selectors, Groupings: read.Groupings,
		})
	}
	return json.NewEncoder(os.Stdout).Encode(shown)
}

func printExpressions(input io.Reader) error {
	var texts []string
	if err := json.NewDecoder(input).Decode(&texts); err != nil {
		return err
	}
	shown := []expression{}
	for _, text := range texts {
		read, err := readExpression(text)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		shown = append(shown, read)
	}
	return json.NewEncoder(os.Stdout).Encode(shown)
}

func readExpression(text string) (expression, error) {
	parsed, err := parser.ParseExpr(text)
	if err != nil {
		return expression{}, err
	}
	read := expression{Selectors: []selector{}, Groupings: []string{}}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch found := node.(type) {
		case *parser.VectorSelector:
			names := []string{}
			for _, matcher := range found.LabelMatchers {
				if matcher.Name != labels.MetricName {
					names = append(names, matcher.Name)
				}
			}
			read.Selectors = append(read.Selectors, selector{found.Name, names})
		case *parser.AggregateExpr:
			read.Groupings = append(read.Groupings, found.Grouping...)
		case *parser.BinaryExpr:
			if found.VectorMatching != nil {
				read.Groupings = append(read.Groupings, found.VectorMatching.MatchingLabels...)
			}
		}
		return nil
	})
	return read, nil
}

type family struct {
	Name   string     `json:"name"`
	Type   string     `json:"type"`
	Help   string     `json:"help"`
	Series [][]string `json:"series"`
}

func printFamilies(input io.Reader) error {
	textParser := expfmt.NewTextParser(model.LegacyValidation)
	found, err := textParser.TextToMetricFamilies(input)
	if err != nil {
		return err
	}
	shown := []family{}
	for name, each := range found {
		series := [][]string{}
		for _, metric := range each.GetMetric() {
			names := []string{}
			for _, pair := range metric.GetLabel() {
				names = append(names, pair.GetName())
			}
			series = append(series, names)
		}
		shown = append(shown, family{name, each.GetType().String(), each.GetHelp(), series})
	}
	return json.NewEncoder(os.Stdout).Encode(shown)
}
