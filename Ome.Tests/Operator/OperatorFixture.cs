using k8s;
using k8s.Autorest;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Ome.Operator;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Architecture;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Operator;

/// <summary>
/// A control plane of its own with the CRDs, the rights and the real operator on it, running with no more rights than config/rbac gives.
/// Tests play the agents: they write node reports.
/// </summary>
public abstract class OperatorFixture
{
    protected const string Namespace = "ome";
    private static int _serial;

    protected ITestControlPlane Plane { get; private set; } = null!;

    protected ObjectObserver<ClusterBaseModel> ClusterModels { get; private set; } = null!;

    protected ObjectObserver<BaseModel> Models { get; private set; } = null!;

    protected ObjectObserver<V1ConfigMap> Reports { get; private set; } = null!;

    protected ObjectObserver<Corev1Event> Events { get; private set; } = null!;

    protected WebApplication? Operator { get; set; }

    /// <summary>Settings of the operator under test.</summary>
    protected virtual OperatorOptions Options => new() { Host = "127.0.0.1", Port = 0, LeaderElect = false, StatusInterval = TimeSpan.FromMilliseconds(200), LogLevel = "warn" };

    /// <summary>Lets a fixture register what it replaces or listens with.</summary>
    protected virtual void Replace(IServiceCollection services)
    {
    }

    /// <summary>Lets a fixture change the CRDs before they are installed.</summary>
    protected virtual V1CustomResourceDefinition Adjust(V1CustomResourceDefinition crd) => crd;

    [OneTimeSetUp]
    public async Task StartAllAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        Plane = await ControlPlanes.StartAsync(timeout.Token);
        await InstallAsync(timeout.Token);
        ClusterModels = new(Plane.Admin);
        Models = new(Plane.Admin);
        Reports = new(Plane.Admin, Namespace);
        Events = new(Plane.Admin);
        await BeforeOperatorAsync(timeout.Token);
        Operator = await StartOperatorAsync(timeout.Token);
    }

    /// <summary>What is in the cluster before the operator starts.</summary>
    protected virtual Task BeforeOperatorAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [OneTimeTearDown]
    public async Task StopAllAsync()
    {
        if (Operator is not null) await StopOperatorAsync(Operator);
        foreach (var observer in new IAsyncDisposable?[] { ClusterModels, Models, Reports, Events })
        {
            if (observer is not null) await observer.DisposeAsync();
        }

        if (Plane is not null) await Plane.DisposeAsync();
    }

    protected async Task<WebApplication> StartOperatorAsync(CancellationToken cancellationToken, OperatorOptions? options = null)
    {
        var configuration = await Plane.CreateServiceAccountConfigurationAsync(Namespace, RightsNames.Operator, cancellationToken);
        configuration.Namespace = Namespace;
        var app = Program.Build(options ?? Options, services =>
        {
            services.AddSingleton(configuration);
            Replace(services);
        });
        await app.StartAsync(cancellationToken);
        return app;
    }

    protected static async Task StopOperatorAsync(WebApplication app)
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    protected async Task<string> NodeAsync(CancellationToken cancellationToken, string? name = null)
    {
        name ??= $"gpu-{Interlocked.Increment(ref _serial)}";
        await Plane.Admin.CoreV1.CreateNodeAsync(new V1Node { Metadata = new V1ObjectMeta { Name = name } }, cancellationToken: cancellationToken);
        return name;
    }

    protected Task DeleteNodeAsync(string name, CancellationToken cancellationToken) => Plane.Admin.CoreV1.DeleteNodeAsync(name, cancellationToken: cancellationToken);

    /// <summary>Creates a ClusterBaseModel and gives its key.</summary>
    protected async Task<ModelKey> ModelAsync(CancellationToken cancellationToken, Action<ClusterBaseModel>? change = null)
    {
        var model = new ClusterBaseModel
        {
            Metadata = new V1ObjectMeta { Name = $"llama-{Interlocked.Increment(ref _serial)}" },
            Spec = new BaseModelSpec { Storage = new ModelStorage { StorageUri = "hf://org/model", Path = "/mnt/models/model" } },
            Status = null!,
        };
        change?.Invoke(model);
        await Plane.Admin.CustomObjects.CreateClusterCustomObjectAsync<ClusterBaseModel>(model, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, cancellationToken: cancellationToken);
        return ModelKey.Cluster(model.Name());
    }

    protected async Task<ModelKey> BaseModelAsync(string ns, CancellationToken cancellationToken)
    {
        var model = new BaseModel
        {
            Metadata = new V1ObjectMeta { Name = $"mistral-{Interlocked.Increment(ref _serial)}", NamespaceProperty = ns },
            Spec = new BaseModelSpec { Storage = new ModelStorage { StorageUri = "hf://org/model", Path = "/mnt/models/model" } },
            Status = null!,
        };
        await Plane.Admin.CustomObjects.CreateNamespacedCustomObjectAsync<BaseModel>(model, OmeNames.Group, OmeNames.Version, ns, BaseModel.Plural, cancellationToken: cancellationToken);
        return ModelKey.Namespaced(ns, model.Name());
    }

    protected Task ReportAsync(string node, ModelKey model, NodeModelState state, CancellationToken cancellationToken) =>
        ReportAsync(node, model, NodeReportCodec.Encode(NodeModelEntry.Of(model.Name, state)), cancellationToken);

    /// <summary>Writes one entry of a node, as an agent does: its own key only. Null removes it.</summary>
    protected async Task ReportAsync(string node, ModelKey model, string? entry, CancellationToken cancellationToken)
    {
        var core = Plane.Admin.CoreV1;
        try
        {
            var patch = new V1Patch(new { data = new Dictionary<string, string?> { [model.DataKey] = entry } }, V1Patch.PatchType.MergePatch);
            await core.PatchNamespacedConfigMapAsync(patch, node, Namespace, cancellationToken: cancellationToken);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            var report = new V1ConfigMap
            {
                Metadata = new V1ObjectMeta { Name = node, Labels = new Dictionary<string, string>(NodeReport.LabelsFor(node)), Annotations = new Dictionary<string, string>(NodeReport.AnnotationsFor(node)) },
                Data = entry is null ? [] : new Dictionary<string, string> { [model.DataKey] = entry },
            };
            await core.CreateNamespacedConfigMapAsync(report, Namespace, cancellationToken: cancellationToken);
        }
    }

    protected Task DeleteAsync(ModelKey model, CancellationToken cancellationToken) =>
        Plane.Admin.CustomObjects.DeleteClusterCustomObjectAsync(OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, model.Name, cancellationToken: cancellationToken);

    protected async Task<ClusterBaseModel> UntilAsync(ModelKey model, Func<ClusterBaseModel, bool> condition, CancellationToken cancellationToken) =>
        (await ClusterModels.UntilAsync(null, model.Name, found => found is not null && condition(found), cancellationToken))!;

    protected Task UntilGoneAsync(ModelKey model, CancellationToken cancellationToken) => ClusterModels.UntilAsync(null, model.Name, static found => found is null, cancellationToken);

    private async Task InstallAsync(CancellationToken cancellationToken)
    {
        var root = RepositoryTests.RepositoryRoot();
        using var crds = new TempDirectory();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(root, "config/crd"), "ome.io_*.yaml"))
        {
            var crd = Adjust(KubernetesYaml.LoadAllFromString(await File.ReadAllTextAsync(file, cancellationToken)).OfType<V1CustomResourceDefinition>().Single());
            await File.WriteAllTextAsync(Path.Combine(crds.Path, Path.GetFileName(file)), KubernetesYaml.Serialize(crd), cancellationToken);
        }

        await Plane.InstallCrdsAsync(crds.Path, cancellationToken);
        await Plane.Admin.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = Namespace } }, cancellationToken: cancellationToken);
        await ShippedRights.ApplyAsync(Plane, "operator", cancellationToken);
    }
}
