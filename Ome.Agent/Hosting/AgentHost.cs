using System.Net;
using k8s;
using Microsoft.Extensions.Logging.Console;
using Ome.Agent.Files;
using Ome.Agent.Staging.Oci;
using Ome.Agent.Staging.S3;
using Ome.Shared;
using Prometheus;

namespace Ome.Agent.Hosting;

/// <summary>Runs the agent until it is told to stop. The port answers before the first slow step.</summary>
public static partial class AgentHost
{
    private static readonly TimeSpan ShutdownTime = TimeSpan.FromSeconds(5);

    /// <summary>The agent's exit code: 0 after a graceful stop.</summary>
    /// <param name="options">Checked settings.</param>
    /// <param name="cluster">The cluster, and as whom it is talked to.</param>
    /// <param name="environment">Looks up the variables that clouds define for credentials (contract 5.3).</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<int> RunAsync(AgentOptions options, KubernetesClientConfiguration cluster, Func<string, string?> environment, CancellationToken cancellationToken)
    {
        await using var app = Build(options, services =>
        {
            services.AddSingleton(cluster);
            services.Configure<OciOptions>(oci => OciOptions.ReadEnvironment(oci, environment));
            services.Configure<S3Options>(s3 => S3Options.ReadEnvironment(s3, environment));
            // The process' memory, not the agent's: tests run many agents in one.
            services.AddHostedService<MemoryTrim>();
        });
        LogStart(app.Logger, BuildInfo.Current, options.NodeName, options.ModelsRoot);
        await app.RunAsync(cancellationToken);
        return 0;
    }

    /// <summary>The agent, not started; <paramref name="configure"/> says which cluster is its own, and tests change its services there.</summary>
    public static WebApplication Build(AgentOptions options, Action<IServiceCollection>? configure = null)
    {
        Directory.CreateDirectory(options.EffectiveStateDirectory);
        // The flags are all the configuration there is: nobody waits for a change of appsettings.json.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "ome-agent", Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        AddLogging(builder.Logging, options);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Parse(options.BindAddress), options.Port));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTime);
        configure?.Invoke(builder.Services);
        builder.Services.AddAgent(options);
        AfterEndpoints.TakeOver(builder.Services);
        var app = builder.Build();
        AgentEndpoints.Map(app);
        app.MapMetrics("/metrics", app.Services.GetRequiredService<CollectorRegistry>());
        return app;
    }

    /// <summary>Why the agent has nowhere to keep its state; null when it has. A models root that is only readable needs another place.</summary>
    public static string? StateProblem(AgentOptions options)
    {
        var directory = options.EffectiveStateDirectory;
        try
        {
            Directory.CreateDirectory(directory);
            var probe = Path.Combine(directory, "probe");
            AtomicFile.Write(probe, ""u8);
            AtomicFile.Delete(probe);
            return null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return $"{directory} cannot be written, and manifests and verdicts must outlive a restart: set --state-dir ({refused.Message})";
        }
    }

    private static void AddLogging(ILoggingBuilder logging, AgentOptions options)
    {
        var level = options.LogLevel switch
        {
            "trace" => LogLevel.Trace,
            "debug" => LogLevel.Debug,
            "warn" or "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => LogLevel.Information,
        };
        logging.ClearProviders();
        if (options.LogFormat == "json") logging.AddJsonConsole(json => json.TimestampFormat = "O");
        else logging.AddSimpleConsole(text => { text.SingleLine = true; text.TimestampFormat = "HH:mm:ss.fff "; text.ColorBehavior = LoggerColorBehavior.Disabled; });
        logging.SetMinimumLevel(level);
        // KubeOps writes three lines for each event of a watch, ASP.NET two for each probe.
        foreach (var noisy in new[] { "KubeOps", "Microsoft", "System", "ZiggyCreatures" }) logging.AddFilter(noisy, level < LogLevel.Information ? level : LogLevel.Warning);
    }

    [LoggerMessage(EventId = 2000, Level = LogLevel.Information, Message = "ome-agent {Build} starts on node {Node}, models under {Root}")]
    private static partial void LogStart(ILogger logger, BuildInfo build, string node, string root);
}
