using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Fakes;

namespace Ome.LocalCluster.Demo;

/// <summary>One node of the demo: a Node object, a models root of its own, an agent process.</summary>
internal sealed record DemoNode(string Name, string ModelsRoot, int Port);

/// <summary>Everything that runs during the demo: control plane, hub, operator and agents, each a process of its own but hub and in-process control plane.</summary>
internal sealed class DemoWorld : IAsyncDisposable
{
    public const string Namespace = "ome";

    private readonly List<DemoProcess> _processes = [];

    private DemoWorld(DemoOptions options, DemoCluster cluster, FakeHub hub) => (Options, Cluster, Hub, Api) = (options, cluster, hub, new DemoApi(cluster.Admin));

    public DemoOptions Options { get; }

    public DemoCluster Cluster { get; }

    public FakeHub Hub { get; }

    public DemoApi Api { get; }

    public IReadOnlyList<DemoNode> Nodes { get; private set; } = [];

    public Uri FleetPage { get; } = new($"http://127.0.0.1:{FreePort()}/");

    public string Tree => Options.Model ?? Path.Combine(Options.Directory, "hub-model");

    public static async Task<DemoWorld> StartAsync(DemoOptions options, CancellationToken cancellationToken)
    {
        var cluster = await DemoCluster.StartAsync(options, cancellationToken);
        var world = new DemoWorld(options, cluster, await FakeHub.StartAsync(cancellationToken: cancellationToken));
        try
        {
            if (cluster.IsShared) await world.RefuseMeddlingAsync(cancellationToken);
            await world.PrepareAsync(cancellationToken);
            await world.StartProgramsAsync(cancellationToken);
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>A program that ended by itself, with where its log is; null while all run.</summary>
    public string? Trouble() => _processes.FirstOrDefault(process => process.HasExited) is { } gone ? $"{gone.Name} ended by itself; its log: {gone.LogPath}" : null;

    public async ValueTask DisposeAsync()
    {
        var cleanup = Cluster.IsShared ? new DemoCleanup(Api) : null;
        // The operator and the agents take part in the deletion of a model: they stop after it.
        if (cleanup is not null) await cleanup.RemoveModelsAsync();
        foreach (var process in Enumerable.Reverse(_processes)) await process.DisposeAsync();
        if (cleanup is not null) await cleanup.RemoveTheRestAsync();
        await Hub.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    private async Task RefuseMeddlingAsync(CancellationToken cancellationToken)
    {
        if (await Api.GetAsync($"/api/v1/namespaces/{Namespace}", cancellationToken) is not null)
            throw new DemoFailedException($"{Cluster.Name} has a namespace {Namespace} already: the demo brings an operator of its own and would meddle with what is installed there. Choose a cluster without Ome.");
    }

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (Options.Model is null) ModelTree.Write(Directory.CreateDirectory(Tree).FullName, new ModelTreeOptions(TotalBytes: 24_000_000, Shards: 3));
        Hub.AddDirectory("demo/tiny-llama", Tree);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Options.Repository, "config/crd"), "ome.io_*.yaml").Order(StringComparer.Ordinal))
        {
            await Api.ApplyFileAsync(file, cancellationToken);
            await Api.UntilServedAsync("/apis/ome.io/v1beta1/" + Path.GetFileNameWithoutExtension(file)["ome.io_".Length..], cancellationToken);
        }

        await Api.CreateAsync("/api/v1/namespaces", Named("v1", "Namespace", Namespace), cancellationToken);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Options.Repository, "config/rbac"), "*_*.yaml").Order(StringComparer.Ordinal)) await Api.ApplyFileAsync(file, cancellationToken);
        var prefix = Cluster.IsShared ? "ome-demo" : "gpu";
        Nodes = [.. Enumerable.Range(1, Options.Agents).Select(i => new DemoNode($"{prefix}-{i}", Path.Combine(Options.Directory, $"{prefix}-{i}", "models"), FreePort()))];
        foreach (var node in Nodes)
        {
            Directory.CreateDirectory(node.ModelsRoot);
            var labelled = Named("v1", "Node", node.Name);
            labelled["metadata"]!["labels"] = new JsonObject { ["nvidia.com/gpu.present"] = "true", ["kubernetes.io/hostname"] = node.Name };
            await Api.CreateAsync("/api/v1/nodes", labelled, cancellationToken);
        }
    }

    private async Task StartProgramsAsync(CancellationToken cancellationToken)
    {
        var logs = Directory.CreateDirectory(Path.Combine(Options.Directory, "logs")).FullName;
        var operatorConfig = await KubeconfigForAsync("ome-operator", cancellationToken);
        var agentConfig = await KubeconfigForAsync("ome-model-agent", cancellationToken);
        _processes.Add(DemoProcess.Start(
            "operator", Options.Assembly("Ome.Operator", "ome-operator"), ["--host", "127.0.0.1", "--port", FleetPage.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), "--leader-elect", "false", "--fleet-page", "true"],
            new Dictionary<string, string> { ["KUBECONFIG"] = operatorConfig, ["POD_NAMESPACE"] = Namespace }, Path.Combine(logs, "operator.log")));
        foreach (var node in Nodes)
        {
            string[] arguments =
            [
                "--models-root-dir", node.ModelsRoot, "--bind-address", "127.0.0.1", "--port", node.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
                "--integrity-interval", "30s", "--integrity-start-jitter", "0s", "--integrity-bytes-per-second", "0", "--free-space-reserve", "64MiB",
            ];
            _processes.Add(DemoProcess.Start(
                "agent " + node.Name, Options.Assembly("Ome.Agent", "ome-agent"), arguments,
                new Dictionary<string, string> { ["KUBECONFIG"] = agentConfig, ["NODE_NAME"] = node.Name, ["POD_NAMESPACE"] = Namespace, ["ENDPOINT"] = Hub.Endpoint },
                Path.Combine(logs, $"agent-{node.Name}.log")));
        }
    }

    private async Task<string> KubeconfigForAsync(string account, CancellationToken cancellationToken)
    {
        var path = Path.Combine(Options.Directory, account + ".kubeconfig");
        await Kubeconfig.WriteAsync(path, Cluster.Server, await Api.TokenAsync(Namespace, account, cancellationToken), cancellationToken);
        return path;
    }

    private static JsonObject Named(string apiVersion, string kind, string name) =>
        new() { ["apiVersion"] = apiVersion, ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = name } };

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
