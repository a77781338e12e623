using System.CommandLine;
using k8s.Exceptions;
using Microsoft.Extensions.Logging.Console;
using Ome.Operator.Fleet;
using Ome.Shared;
using Ome.Shared.Kube;
using Ome.Shared.Settings;

namespace Ome.Operator;

/// <summary>Entry point.</summary>
public static partial class Program
{
    /// <summary>Exit code of a wrong command line or setting.</summary>
    public const int Usage = 2;

    public static async Task<int> Main(string[] args)
    {
        var command = new RootCommand("Folds the reports of all nodes into the status of BaseModel and ClusterBaseModel.");
#pragma warning disable RS0030 // the one place that reads the environment
        Func<string, string?> environment = Environment.GetEnvironmentVariable;
#pragma warning restore RS0030
        var settings = new SettingsCommand<OperatorOptions>(command, environment);
        command.Subcommands.Add(ReadyCommand.Create(Console.Out, Console.Error));
        command.ShowBuild("ome-operator");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (options, problems) = settings.Read(parsed);
            foreach (var problem in problems) await Console.Error.WriteLineAsync("ome-operator: " + problem);
            if (problems.Count > 0) return Usage;
            try
            {
                var cluster = ClusterAccess.Find(environment);
                // KubeOps puts the lease into the client's namespace; it belongs beside the reports.
                cluster.Namespace = options.Namespace;
                await using var app = Build(options, services => services.AddSingleton(cluster));
                await app.RunAsync(cancellationToken);
                return 0;
            }
            catch (KubeConfigException nocluster)
            {
                await Console.Error.WriteLineAsync("ome-operator: " + nocluster.Message);
                return Usage;
            }
        });
        var parsed = command.Parse(args);
        return parsed.Errors.Count > 0 && parsed.Action is not System.CommandLine.Help.HelpAction ? await FailAsync(parsed) : await parsed.InvokeAsync();
    }

    /// <summary>The host, ready to run; which cluster is its own is said in <paramref name="configure"/>.</summary>
    public static WebApplication Build(OperatorOptions options, Action<IServiceCollection>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(FormattableString.Invariant($"http://{options.Host}:{options.Port}"));
        builder.Logging.ClearProviders();
        if (options.LogJson) builder.Logging.AddJsonConsole(static console => console.UseUtcTimestamp = true);
        else builder.Logging.AddSimpleConsole(static console => (console.SingleLine, console.TimestampFormat, console.ColorBehavior) = (true, "HH:mm:ss.fff ", LoggerColorBehavior.Disabled));
        AddLevels(builder.Logging, Level(options.LogLevel));
        configure?.Invoke(builder.Services);
        builder.Services.AddOmeOperator(options);
        var app = builder.Build();
        app.MapOperator();
        if (options.FleetPage) app.MapFleetPage();
        LogStart(app.Logger, BuildInfo.Current, options.Namespace);
        app.Services.GetRequiredService<Prometheus.IMetricFactory>().AddBuildInfo(BuildInfo.Current);
        return app;
    }

    private static void AddLevels(ILoggingBuilder logging, LogLevel level)
    {
        logging.SetMinimumLevel(level).AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information);
        // What KubeOps' packages tell of every event of every model is for those who ask for it.
        foreach (var noisy in new[] { "KubeOps", "ZiggyCreatures" }) logging.AddFilter(noisy, level < LogLevel.Information ? level : LogLevel.Warning);
    }

    private static async Task<int> FailAsync(ParseResult parsed)
    {
        foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync("ome-operator: " + error.Message);
        return Usage;
    }

    private static LogLevel Level(string text) => text switch
    {
        "trace" => LogLevel.Trace,
        "debug" => LogLevel.Debug,
        "warn" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => LogLevel.Information,
    };

    [LoggerMessage(2001, LogLevel.Information, "ome-operator {Build} starts, node reports in namespace {Namespace}")]
    private static partial void LogStart(ILogger logger, BuildInfo build, string @namespace);
}
