using System.CommandLine;
using k8s.Exceptions;
using Ome.Agent.Hosting;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;
using Ome.Shared.Kube;
using Ome.Shared.Settings;

namespace Ome.Agent.Cli;

/// <summary>The node's agent: what the program does without a subcommand, with the flags OME's agent has and ours (contract 8.1).</summary>
public static class RunCommand
{
    /// <summary>Flags that OME's documentation names and no agent has: accepted, so that a manifest written after it starts, and ignored.</summary>
    private static readonly string[] Ignored =
    [
        "hf-max-workers", "hf-max-retries", "hf-retry-interval", "temp-dir", "cleanup-temp", "metrics-port", "config-map-sync-interval",
        "model-watch-resync-period", "max-concurrent-reconciles",
    ];

    /// <summary>Gives the root command the agent's flags and makes it run the agent.</summary>
    public static void Configure(RootCommand root, Func<string, string?> environment, TextWriter error)
    {
        // NODE_NAME wins over the flag, as OME's manifests expect: the flag is read only where the variable is not set.
        var settings = new SettingsCommand<AgentOptions>(root, environment);
        foreach (var name in Ignored) root.Options.Add(new Option<string?>("--" + name) { Hidden = true });
        root.SetAction(async (parsed, cancellationToken) =>
        {
            var (options, problems) = settings.Read(parsed);
            if (options.HubEndpoint.Length == 0) options.HubEndpoint = environment("HF_ENDPOINT") ?? "";
            if (environment("NODE_NAME") is { Length: > 0 } node) options.NodeName = node;
            foreach (var problem in problems.Concat(Unusable(options))) await error.WriteLineAsync("ome-agent: " + problem);
            if (problems.Count > 0 || Unusable(options).Any()) return ExitCode.Usage;
            if (AgentHost.StateProblem(options) is { } nowhere)
            {
                await error.WriteLineAsync("ome-agent: " + nowhere);
                return ExitCode.Usage;
            }

            try
            {
                return await AgentHost.RunAsync(options, ClusterAccess.Find(environment), environment, cancellationToken);
            }
            catch (KubeConfigException nocluster)
            {
                await error.WriteLineAsync("ome-agent: " + nocluster.Message);
                return ExitCode.Usage;
            }
        });
    }

    private static IEnumerable<string> Unusable(AgentOptions options)
    {
        if (!options.ModelsRoot.StartsWith('/') || options.ModelsRoot.TrimEnd('/').Length == 0) yield return $"--models-root-dir is '{options.ModelsRoot}': it must be an absolute directory other than /";
        if (!NodeShapes.TryParse(options.InstanceTypeMap, out _, out var error)) yield return $"--instance-type-map: {error}";
        if (!WithdrawalLimit.TryParse(options.MaxWithdrawals, out _)) yield return $"--max-withdrawals is '{options.MaxWithdrawals}': it must be {WithdrawalLimit.Expected}";
        foreach (var problem in options.Policy.Problems()) yield return "the integrity flags do not fit together: " + problem;
    }
}
