using System.Diagnostics;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Tests.Architecture;
using Ome.Tests.Support.ControlPlanes;
using Cluster = Ome.Tests.Support.Kubectl;

namespace Ome.Tests.Docs;

/// <summary>What a runbook tells people to type works: its kubectl commands are run by the real kubectl against objects as agents and operator make them.</summary>
public sealed partial class RunbookCommandTests
{
    private const string Node = "gpu-1";
    private const string Model = "llama";
    private const string Team = "team-a";
    private const string Ome = OmeNames.DefaultNamespace;

    [Test, CancelAfter(240_000)]
    public async Task Every_kubectl_command_of_the_runbooks_works(CancellationToken cancellationToken)
    {
        Cluster.Require();
        await using var plane = await ControlPlanes.StartAsync(cancellationToken);
        await FillAsync(plane, cancellationToken);
        var commands = Commands().ToList();

        var problems = new List<string>();
        foreach (var command in commands)
        {
            if (await RunAsync(command, plane.KubeconfigPath, cancellationToken) is { } problem) problems.Add($"{command}: {problem}");
        }

        commands.Count.Should().BeGreaterThan(20);
        problems.Should().BeEmpty();
    }

    /// <summary>All but those that need running pods; up to a pipe, with the names filled in.</summary>
    private static IEnumerable<string> Commands() => Markdown.All.Where(static page => page.Path.StartsWith("docs/runbooks/", StringComparison.Ordinal))
        .SelectMany(static page => page.CodeLines.Concat(page.CodeSpans)).Where(static code => code.StartsWith("kubectl ", StringComparison.Ordinal))
        .Where(static code => !NeedsPods().IsMatch(code)).Select(static code => Rest().Replace(code, "").Trim())
        .Select(static code => code.Replace("NODE", Node, StringComparison.Ordinal).Replace("MODEL", Model, StringComparison.Ordinal).Replace("NAMESPACE", Team, StringComparison.Ordinal))
        .Distinct();

    private static async Task FillAsync(ITestControlPlane plane, CancellationToken cancellationToken)
    {
        var (core, custom) = (plane.Admin.CoreV1, plane.Admin.CustomObjects);
        await plane.InstallCrdsAsync(Path.Combine(RepositoryTests.RepositoryRoot(), "config/crd"), cancellationToken);
        foreach (var ns in new[] { Ome, Team }) await core.CreateNamespaceAsync(new V1Namespace { Metadata = new() { Name = ns } }, cancellationToken: cancellationToken);
        var key = ModelKey.Cluster(Model);
        await core.CreateNodeAsync(new V1Node { Metadata = new() { Name = Node, Labels = new Dictionary<string, string> { [key.LabelKey] = "Failed" } } }, cancellationToken: cancellationToken);
        await core.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new() { Name = Node }, Data = new Dictionary<string, string> { [key.DataKey] = "{}" } }, Ome, cancellationToken: cancellationToken);
        await plane.Admin.CoordinationV1.CreateNamespacedLeaseAsync(new V1Lease { Metadata = new() { Name = "ome-operator-leader" }, Spec = new() }, Ome, cancellationToken: cancellationToken);
        foreach (var daemons in KubernetesYaml.LoadAllFromString(Support.Golden.ReadFile("config/agent/daemonset.yaml")).OfType<V1DaemonSet>())
        {
            await plane.Admin.AppsV1.CreateNamespacedDaemonSetAsync(daemons, Ome, cancellationToken: cancellationToken);
        }

        var storage = new ModelStorage { StorageUri = "hf://org/model", Path = "/mnt/data/models/m" };
        await custom.CreateClusterCustomObjectAsync<ClusterBaseModel>(
            new ClusterBaseModel { Metadata = new() { Name = Model }, Spec = new BaseModelSpec { Storage = storage } }, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, cancellationToken: cancellationToken);
        await custom.CreateNamespacedCustomObjectAsync<BaseModel>(
            new BaseModel { Metadata = new() { Name = Model }, Spec = new BaseModelSpec { Storage = storage }, Status = null! }, OmeNames.Group, OmeNames.Version, Team, BaseModel.Plural, cancellationToken: cancellationToken);
        await custom.CreateClusterCustomObjectAsync<ModelIntegrityCheck>(
            new ModelIntegrityCheck
            {
                Metadata = new() { Name = key.CheckName(Node), Labels = new Dictionary<string, string> { [OmeNames.CheckNodeLabel] = Node } },
                Spec = new() { NodeName = Node, ModelRef = new() { Kind = ClusterBaseModel.KindName, Name = Model } },
            },
            OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, cancellationToken: cancellationToken);
    }

    private static async Task<string?> RunAsync(string command, string kubeconfig, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("bash", ["-c", command]) { WorkingDirectory = RepositoryTests.RepositoryRoot(), RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["KUBECONFIG"] = kubeconfig;
        using var shell = Process.Start(start)!;
        try
        {
            var (output, error) = (shell.StandardOutput.ReadToEndAsync(cancellationToken), shell.StandardError.ReadToEndAsync(cancellationToken));
            await shell.WaitForExitAsync(cancellationToken);
            // An answer of nothing is no answer: a selector or a path that fits nothing looks the same as a wrong one. Events and pods are not here.
            return shell.ExitCode != 0 ? await error : (await output).Length == 0 && !command.Contains("jsonpath", StringComparison.Ordinal) && (await error).Length == 0 ? "said nothing" : null;
        }
        finally
        {
            if (!shell.HasExited) shell.Kill(entireProcessTree: true);
        }
    }

    [GeneratedRegex(@"^kubectl (?:-n \S+ )?(?:logs|exec|port-forward|apply|drain)\b|\bPOD\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex NeedsPods();

    // A comment, or what the answer is piped into.
    [GeneratedRegex(@"\s+(?:#|\|).*$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Rest();
}
