using System.Globalization;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Host;

/// <summary>The agent of a node as a process.</summary>
internal static class AgentProcess
{
    /// <summary>Starts it.</summary>
    /// <param name="node">The node; its control plane and models root are used.</param>
    /// <param name="kubeconfig">Whose rights it has; null: the administrator's.</param>
    /// <param name="arguments">More flags.</param>
    /// <param name="launcher">A command that runs the agent for us, e.g. with fewer rights.</param>
    public static ProgramProcess Start(AgentFixture node, string? kubeconfig = null, IEnumerable<string>? arguments = null, params IReadOnlyList<string> launcher) => Start(
        "ome-agent.dll", node, kubeconfig, arguments, environment: null, launcher);

    /// <summary>As the other, of another build and with more variables.</summary>
    public static ProgramProcess Start(
        string program, AgentFixture node, string? kubeconfig, IEnumerable<string>? arguments, IReadOnlyDictionary<string, string?>? environment, params IReadOnlyList<string> launcher) => ProgramProcess.Start(
        program,
        port =>
        [
            "--models-root-dir", node.ModelsRoot, "--namespace", node.Namespace, "--bind-address", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture),
            "--integrity-start-jitter", "0s", "--free-space-reserve", "0", .. arguments ?? [],
        ],
        new Dictionary<string, string?>(environment ?? new Dictionary<string, string?>()) { ["KUBECONFIG"] = kubeconfig ?? node.Plane.KubeconfigPath, ["NODE_NAME"] = node.NodeName, ["POD_NAMESPACE"] = null },
        launcher);
}
