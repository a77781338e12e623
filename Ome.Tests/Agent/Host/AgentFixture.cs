using System.Diagnostics;
using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Hosting;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Architecture;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>A node with a real agent on real files, against a control plane over HTTP as its administrator; the shipped rights are held by the demo test.</summary>
internal sealed class AgentFixture : IAsyncDisposable
{
    private static readonly HttpClient Http = new();

    private WebApplication? _agent;
    private AgentFixture(ITestControlPlane plane, string ns, string nodeName, string root)
    {
        (Plane, Namespace, NodeName, ModelsRoot) = (plane, ns, nodeName, root);
    }

    public ITestControlPlane Plane { get; }

    public string Namespace { get; }

    public string NodeName { get; }

    public string ModelsRoot { get; }

    public IServiceProvider Services => _agent!.Services;

    /// <summary>The agent's own port.</summary>
    public Uri Address => new(Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>A node and an empty models root; no agent yet. Reports go to <paramref name="ns"/>, or to a namespace of their own.</summary>
    public static async Task<AgentFixture> CreateAsync(ITestControlPlane plane, CancellationToken cancellationToken, string? ns = null)
    {
        await plane.InstallCrdsAsync(Path.Combine(RepositoryTests.RepositoryRoot(), "config/crd"), cancellationToken);
        ns ??= await plane.CreateNamespaceAsync(cancellationToken);
        var node = "node-" + Guid.NewGuid().ToString("N")[..8];
        await plane.Admin.CoreV1.CreateNodeAsync(new V1Node { Metadata = new V1ObjectMeta { Name = node, Labels = new Dictionary<string, string> { ["pool"] = "gpu" } } }, cancellationToken: cancellationToken);
        return new AgentFixture(plane, ns, node, Directory.CreateTempSubdirectory("ome-node-").FullName);
    }

    public Task StartAsync(Action<AgentOptions>? change = null, CancellationToken cancellationToken = default) => StartAsync(change, static _ => { }, cancellationToken);

    /// <summary>Starts an agent with other settings and other services than it has by itself.</summary>
    public async Task StartAsync(Action<AgentOptions>? change, Action<IServiceCollection> services, CancellationToken cancellationToken)
    {
        var options = new AgentOptions
        {
            NodeName = NodeName,
            Namespace = Namespace,
            ModelsRoot = ModelsRoot,
            Port = 0,
            BindAddress = "127.0.0.1",
            StartJitter = TimeSpan.Zero,
            IntegrityInterval = TimeSpan.FromMinutes(10),
            LogLevel = "warn",
            FreeSpaceReserve = 0,
        };
        change?.Invoke(options);
        _agent = AgentHost.Build(options, added =>
        {
            added.AddSingleton(Plane.Configuration);
            services(added);
        });
        await _agent.StartAsync(cancellationToken);
    }

    public async Task StopAsync()
    {
        if (_agent is null) return;
        await _agent.StopAsync();
        await _agent.DisposeAsync();
        _agent = null;
    }

    /// <summary>What a scrape of the agent says.</summary>
    public async Task<MetricsText> MetricsAsync() => new(await Http.GetStringAsync(new Uri(Address, "/metrics")));

    /// <summary>Checks of this node's models that ended so, by the metric.</summary>
    public async Task<double> ChecksAsync(params (string Label, string Value)[] labels) => (await MetricsAsync()).Value("model_agent_ready_artifact_check_results_total", labels);

    /// <summary>A small real model tree below the models root.</summary>
    public string WriteModel(string name)
    {
        var directory = Path.Combine(ModelsRoot, name);
        Directory.CreateDirectory(directory);
        ModelTree.Write(directory);
        return directory;
    }

    public Task ApplyClusterModelAsync(
        string name, string storageUri, string? path, CancellationToken cancellationToken, Dictionary<string, string>? annotations = null, string? secret = null, string? alsoOn = null,
        Dictionary<string, string>? parameters = null) =>
        Plane.Admin.CustomObjects.CreateClusterCustomObjectAsync<ClusterBaseModel>(
            new ClusterBaseModel
            {
                Metadata = new V1ObjectMeta { Name = name, Annotations = annotations },
                // Only this fixture's node, and another one if asked for, so that tests that share a control plane do not stage each other's models.
                Spec = new BaseModelSpec { Storage = new ModelStorage { StorageUri = storageUri, Path = path, Key = secret, Parameters = parameters, NodeAffinity = Only(alsoOn is null ? [NodeName] : [NodeName, alsoOn]) } },
            },
            OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, cancellationToken: cancellationToken);

    public Task AnnotateClusterModelAsync(string name, string annotation, string value, CancellationToken cancellationToken) =>
        Plane.Admin.CustomObjects.PatchClusterCustomObjectAsync<ClusterBaseModel>(
            new V1Patch(new { metadata = new { annotations = new Dictionary<string, string> { [annotation] = value } } }, V1Patch.PatchType.MergePatch),
            OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, name, cancellationToken: cancellationToken);

    public Task DeleteClusterModelAsync(string name, CancellationToken cancellationToken) =>
        Plane.Admin.CustomObjects.DeleteClusterCustomObjectAsync(OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, name, cancellationToken: cancellationToken);

    public async Task<string?> LabelAsync(string model)
    {
        var node = await Plane.Admin.CoreV1.ReadNodeAsync(NodeName);
        return node.Metadata.Labels is { } labels && labels.TryGetValue(ModelKey.Cluster(model).LabelKey, out var value) ? value : null;
    }

    public async Task<NodeModelEntry?> EntryAsync(string model)
    {
        var maps = await Plane.Admin.CoreV1.ListNamespacedConfigMapAsync(Namespace, fieldSelector: "metadata.name=" + NodeName);
        return maps.Items.Count == 0 ? null : NodeReport.Read(NodeName, maps.Items[0].Data).Entries.GetValueOrDefault(ModelKey.Cluster(model).DataKey).Entry;
    }

    /// <summary>resourceVersion of the node's ConfigMap.</summary>
    public async Task<string?> ReportVersionAsync() =>
        (await Plane.Admin.CoreV1.ListNamespacedConfigMapAsync(Namespace, fieldSelector: "metadata.name=" + NodeName)).Items.FirstOrDefault()?.Metadata.ResourceVersion;

    public async Task<ModelIntegrityCheck?> CheckAsync(string model)
    {
        try
        {
            return await Plane.Admin.CustomObjects.GetClusterCustomObjectAsync<ModelIntegrityCheck>(
                OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, ModelKey.Cluster(model).CheckName(NodeName));
        }
        catch (k8s.Autorest.HttpOperationException absent) when (absent.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Events about a model that name this node.</summary>
    public async Task<IReadOnlyList<Corev1Event>> EventsAsync(string model) =>
        [.. (await Plane.Admin.CoreV1.ListEventForAllNamespacesAsync(fieldSelector: "involvedObject.name=" + model)).Items.Where(one => one.Message.Contains(NodeName, StringComparison.Ordinal))];

    /// <summary>Waits until label and entry both say a state; gives the time from the call to the label.</summary>
    public async Task<TimeSpan> WaitForAsync(string model, NodeModelState state, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var wanted = state == NodeModelState.Deleted ? null : state.ToWire();
        while (await LabelAsync(model) != wanted) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        var took = Stopwatch.GetElapsedTime(started);
        while ((await EntryAsync(model))?.Status != wanted) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        return took;
    }

    public async Task<ModelIntegrityCheck> WaitForCheckAsync(string model, Func<ModelIntegrityCheck, bool> holds, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await CheckAsync(model) is { } check && holds(check)) return check;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Plane.Admin.CoreV1.DeleteNodeAsync(NodeName);
        Directory.Delete(ModelsRoot, recursive: true);
    }

    private static NodeAffinity Only(IEnumerable<string> nodes) => new()
    {
        RequiredDuringSchedulingIgnoredDuringExecution = new NodeSelector
        {
            // Kubernetes takes one value for a field, and several terms are alternatives.
            NodeSelectorTerms = [.. nodes.Select(node => new NodeSelectorTerm { MatchFields = [new NodeSelectorRequirement { Key = "metadata.name", Operator = "In", Values = [node] }] })],
        },
    };
}
