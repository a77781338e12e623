using System.Threading.Channels;
using k8s;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Kube;
using Ome.Tests.Architecture;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Kube;

/// <summary>The informer on a whole control plane, in-process or real.</summary>
public sealed class InformerServerTests
{
    private const int Limit = 120_000;

    private readonly Channel<InformerEvent<string>> _events = Channel.CreateUnbounded<InformerEvent<string>>();
    private ITestControlPlane _plane = null!;
    private CancellationTokenSource _stop = null!;
    private Task _running = Task.CompletedTask;

    [SetUp]
    public async Task StartAsync()
    {
        _stop = new();
        while (_events.Reader.TryRead(out _))
        {
            // Left over from the test before.
        }
        _plane = await ControlPlanes.StartAsync(TestContext.CurrentContext.CancellationToken);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        await _plane.DisposeAsync();
    }

    [Test, CancelAfter(Limit)]
    public async Task Node_reports_of_one_namespace_are_seen_as_they_come_change_and_leave_the_selection(CancellationToken cancellationToken)
    {
        var ns = await _plane.CreateNamespaceAsync(cancellationToken);
        var elsewhere = await _plane.CreateNamespaceAsync(cancellationToken);
        for (var i = 0; i < 120; i++) await PutAsync(ns, $"node-{i:000}", marked: true, cancellationToken);
        await PutAsync(ns, "not-a-report", marked: false, cancellationToken);
        await PutAsync(elsewhere, "node-000", marked: true, cancellationToken);

        var informer = NodeReportInformer.Create(_plane.Admin, ns, map => map.Name(), HandleAsync, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
        _running = informer.RunAsync(_stop.Token);
        await informer.WaitForSyncAsync(cancellationToken);
        informer.Count.Should().Be(120, "three pages of reports, and nothing else");
        while (_events.Reader.TryRead(out _))
        {
            // The first list.
        }

        await PatchAsync(ns, "node-000", """{"data":{"k":"v"}}""", cancellationToken);
        await PatchAsync(ns, "node-001", """{"metadata":{"labels":{"models.ome/basemodel-status":"True"}}}""", cancellationToken);
        await _plane.Admin.CoreV1.DeleteNamespacedConfigMapAsync("node-002", ns, cancellationToken: cancellationToken);
        await PutAsync(ns, "node-200", marked: true, cancellationToken);

        (await NextAsync(cancellationToken)).Should().Be((InformerEventType.Updated, "node-000"));
        (await NextAsync(cancellationToken)).Should().Be((InformerEventType.Deleted, "node-001"));
        (await NextAsync(cancellationToken)).Should().Be((InformerEventType.Deleted, "node-002"));
        (await NextAsync(cancellationToken)).Should().Be((InformerEventType.Added, "node-200"));
    }

    [Test, CancelAfter(Limit)]
    public async Task A_missing_crd_is_named_with_its_remedy_and_waited_for(CancellationToken cancellationToken)
    {
        var log = new RecordingLogger<Informer<ClusterBaseModel, string>>();
        var options = new InformerOptions { BackoffFirst = TimeSpan.FromMilliseconds(50), BackoffCap = TimeSpan.FromMilliseconds(200) };
        var informer = new Informer<ClusterBaseModel, string>(_plane.Admin, options, model => model.Spec.Storage.StorageUri, HandleAsync, TimeProvider.System, log);
        _running = informer.RunAsync(_stop.Token);
        while (log.Lines.Count < 2) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        log.Lines.Should().OnlyContain(line => line.Text.Contains("does not serve clusterbasemodels.ome.io v1beta1") && line.Text.Contains("kubectl apply -k config/crd"));

        await _plane.InstallCrdsAsync(Path.Combine(RepositoryTests.RepositoryRoot(), "config", "crd"), cancellationToken);
        await informer.WaitForSyncAsync(cancellationToken);
        var model = new ClusterBaseModel { Metadata = new() { Name = "late" }, Spec = new() { Storage = new() { StorageUri = "hf://a/b" } } };
        await _plane.Admin.CustomObjects.CreateClusterCustomObjectAsync<ClusterBaseModel>(model, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, cancellationToken: cancellationToken);

        (await NextAsync(cancellationToken)).Should().Be((InformerEventType.Added, "late"));
        informer.TryGet(new("", "late"), out var uri).Should().BeTrue();
        uri.Should().Be("hf://a/b");
    }

    [Test, CancelAfter(Limit)]
    public async Task Deletions_during_an_outage_that_outlives_the_history_are_found_by_the_next_list(CancellationToken cancellationToken)
    {
        var faults = _plane.RequireFaults();
        var ns = await _plane.CreateNamespaceAsync(cancellationToken);
        for (var i = 0; i < 10; i++) await PutAsync(ns, $"node-{i}", marked: true, cancellationToken);
        var options = NodeReportInformer.Options(ns) with { BackoffFirst = TimeSpan.FromMilliseconds(10), BackoffCap = TimeSpan.FromMilliseconds(50) };
        using var client = new Kubernetes(await _plane.CreateServiceAccountConfigurationAsync(ns, "reader", cancellationToken));
        await AllowAsync(ns, cancellationToken);
        var informer = new Informer<V1ConfigMap, string>(client, options, map => map.Name(), HandleAsync, TimeProvider.System, new RecordingLogger<Informer<V1ConfigMap, string>>());
        _running = informer.RunAsync(_stop.Token);
        await informer.WaitForSyncAsync(cancellationToken);

        using (faults.Add(new() { Resource = "configmaps", Verb = "watch", Code = 503 }))
        using (faults.Add(new() { Resource = "configmaps", Verb = "list", Code = 503 }))
        {
            faults.DropWatches("configmaps");
            for (var i = 0; i < 4; i++) await _plane.Admin.CoreV1.DeleteNamespacedConfigMapAsync($"node-{i}", ns, cancellationToken: cancellationToken);
            faults.TruncateHistory();
        }

        while (informer.Count != 6) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        var deleted = new List<string>();
        while (_events.Reader.TryRead(out var change))
        {
            if (change.Type == InformerEventType.Deleted) deleted.Add(change.Object.Name.Name);
        }
        deleted.Should().BeEquivalentTo("node-0", "node-1", "node-2", "node-3");
        await _stop.CancelAsync();
        await _running;
    }

    private ValueTask HandleAsync(InformerEvent<string> change, CancellationToken cancellationToken) => _events.Writer.WriteAsync(change, cancellationToken);

    private async Task<(InformerEventType Type, string Name)> NextAsync(CancellationToken cancellationToken)
    {
        var change = await _events.Reader.ReadAsync(cancellationToken);
        return (change.Type, change.Object.Name.Name);
    }

    private async Task AllowAsync(string ns, CancellationToken cancellationToken)
    {
        var rule = new V1PolicyRule { ApiGroups = [""], Resources = ["configmaps"], Verbs = ["get", "list", "watch"] };
        await _plane.Admin.RbacAuthorizationV1.CreateNamespacedRoleAsync(new V1Role { Metadata = new() { Name = "reader" }, Rules = [rule] }, ns, cancellationToken: cancellationToken);
        var binding = new V1RoleBinding
        {
            Metadata = new() { Name = "reader" },
            RoleRef = new() { ApiGroup = "rbac.authorization.k8s.io", Kind = "Role", Name = "reader" },
            Subjects = [new() { Kind = "ServiceAccount", Name = "reader", NamespaceProperty = ns }],
        };
        await _plane.Admin.RbacAuthorizationV1.CreateNamespacedRoleBindingAsync(binding, ns, cancellationToken: cancellationToken);
    }

    private Task<V1ConfigMap> PutAsync(string ns, string name, bool marked, CancellationToken cancellationToken)
    {
        var labels = new Dictionary<string, string> { [OmeNames.ReportLabel] = marked ? OmeNames.ReportLabelValue : "false" };
        return _plane.Admin.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new() { Name = name, Labels = labels } }, ns, cancellationToken: cancellationToken);
    }

    private Task<V1ConfigMap> PatchAsync(string ns, string name, string patch, CancellationToken cancellationToken) =>
        _plane.Admin.CoreV1.PatchNamespacedConfigMapAsync(new V1Patch(patch, V1Patch.PatchType.MergePatch), name, ns, cancellationToken: cancellationToken);
}
