// Command jaeger is Jaeger's own collector, memory store and query service in one process, as its all-in-one
// distribution has them, without the stores and agents that a test does not need: those are most of what takes
// minutes to build.
package main

import (
	"log"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"
	"go.uber.org/zap"

	collector "github.com/jaegertracing/jaeger/cmd/collector/app"
	collectorflags "github.com/jaegertracing/jaeger/cmd/collector/app/flags"
	query "github.com/jaegertracing/jaeger/cmd/query/app"
	"github.com/jaegertracing/jaeger/cmd/query/app/querysvc"
	"github.com/jaegertracing/jaeger/pkg/config"
	"github.com/jaegertracing/jaeger/pkg/healthcheck"
	"github.com/jaegertracing/jaeger/pkg/metrics"
	"github.com/jaegertracing/jaeger/pkg/telemetery"
	"github.com/jaegertracing/jaeger/pkg/tenancy"
	"github.com/jaegertracing/jaeger/plugin/metrics/disabled"
	"github.com/jaegertracing/jaeger/plugin/storage/memory"
)

func main() {
	v := viper.New()
	store := memory.NewFactory()
	command := &cobra.Command{
		Use:  "jaeger",
		RunE: func(*cobra.Command, []string) error { return serve(v, store) },
	}
	config.AddFlags(v, command, store.AddFlags, collectorflags.AddFlags, query.AddFlags)
	if err := command.Execute(); err != nil {
		log.Fatal(err)
	}
}

// serve collects and answers until the process is killed.
func serve(v *viper.Viper, store *memory.Factory) error {
	logger, err := zap.NewProduction(zap.IncreaseLevel(zap.WarnLevel))
	if err != nil {
		return err
	}
	store.InitFromViper(v, logger)
	if err := store.Initialize(metrics.NullFactory, logger); err != nil {
		return err
	}
	if err := startCollector(v, store, logger); err != nil {
		return err
	}
	if err := startQuery(v, store, logger); err != nil {
		return err
	}
	select {}
}

func startCollector(v *viper.Viper, store *memory.Factory, logger *zap.Logger) error {
	options, err := new(collectorflags.CollectorOptions).InitFromViper(v, logger)
	if err != nil {
		return err
	}
	writer, err := store.CreateSpanWriter()
	if err != nil {
		return err
	}
	return collector.New(&collector.CollectorParams{
		ServiceName:    "jaeger-collector",
		Logger:         logger,
		MetricsFactory: metrics.NullFactory,
		SpanWriter:     writer,
		HealthCheck:    healthcheck.New(),
		TenancyMgr:     tenancy.NewManager(&options.GRPC.Tenancy),
	}).Start(options)
}

func startQuery(v *viper.Viper, store *memory.Factory, logger *zap.Logger) error {
	options, err := new(query.QueryOptions).InitFromViper(v, logger)
	if err != nil {
		return err
	}
	spans, err := store.CreateSpanReader()
	if err != nil {
		return err
	}
	dependencies, err := store.CreateDependencyReader()
	if err != nil {
		return err
	}
	noMetrics, err := disabled.NewMetricsReader()
	if err != nil {
		return err
	}
	queries := querysvc.NewQueryService(spans, dependencies, *options.BuildQueryServiceOptions(store, logger))
	server, err := query.NewServer(queries, noMetrics, options, tenancy.NewManager(&options.Tenancy), telemetery.Setting{
		Logger:       logger,
		Metrics:      metrics.NullFactory,
		ReportStatus: telemetery.HCAdapter(healthcheck.New()),
	})
	if err != nil {
		return err
	}
	return server.Start()
}
