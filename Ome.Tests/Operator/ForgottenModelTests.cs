using k8s.Models;
using Ome.Operator;
using Ome.Operator.Watching;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Kube;
using Prometheus;

namespace Ome.Tests.Operator;

/// <summary>Runs that end after their model is gone leave nothing behind: neither memory nor an old change for the next model of that name.</summary>
public sealed class ForgottenModelTests
{
    private static readonly ModelKey Model = ModelKey.Cluster("llama");
    private static readonly StorageIdentity Files = new("hf://org/model", "/mnt/models/model");

    private readonly ModelWaker _waker = new(static (_, _, _, _, _, _) => Task.FromResult(true), static (_, _, _, _, _, _) => Task.FromResult(true), new OperatorOptions(), TimeProvider.System);

    [Test]
    public async Task A_change_put_back_after_the_model_went_is_not_the_next_ones()
    {
        var index = await IndexAsync();
        index.SetModel(Model, Files);
        await ReportAsync(index, "Ready");
        var (_, changedAt) = index.Look(Model);
        changedAt.Should().NotBeNull("a report came");

        index.RemoveModel(Model);
        index.PutBack(Model, changedAt);

        index.SetModel(Model, Files);
        index.Look(Model).ChangedAt.Should().BeNull();
    }

    [Test]
    public async Task A_change_put_back_of_a_model_that_is_there_stays()
    {
        var index = await IndexAsync();
        index.SetModel(Model, Files);
        await ReportAsync(index, "Ready");
        var (_, changedAt) = index.Look(Model);

        index.PutBack(Model, changedAt);

        index.Look(Model).ChangedAt.Should().Be(changedAt);
    }

    [Test]
    public async Task What_nodes_still_say_of_a_model_that_is_gone_waits_for_no_status()
    {
        var index = await IndexAsync();
        index.SetModel(Model, Files);
        index.RemoveModel(Model);

        await ReportAsync(index, "Ready");
        await ReportAsync(index, "Failed");

        index.SetModel(Model, Files);
        index.Look(Model).ChangedAt.Should().BeNull();
    }

    [Test]
    public void A_status_written_of_a_model_that_is_gone_does_not_make_it_known()
    {
        _waker.Know(Model, "uid");
        _waker.Written(Model);
        _waker.UntilWritable(Model).Should().BePositive();

        _waker.Forget(Model, "uid").Should().BeTrue();
        _waker.Written(Model);

        _waker.IsKnown(Model, out _).Should().BeFalse();
        _waker.UntilWritable(Model).Should().Be(TimeSpan.Zero);
    }

    private async Task<ReportIndex> IndexAsync()
    {
        var index = new ReportIndex(_waker, new FleetMetrics(Metrics.NewCustomRegistry(), TimeProvider.System), TimeProvider.System);
        await index.OnNodeAsync(new InformerEvent<string>(InformerEventType.Added, Named("gpu-1"), "gpu-1", null), default);
        return index;
    }

    private static async Task ReportAsync(ReportIndex index, string state)
    {
        var data = ReportData.Of(new Dictionary<string, string> { [Model.DataKey] = $$"""{"status":"{{state}}"}""" });
        await index.OnReportAsync(new InformerEvent<ArrivedReport>(InformerEventType.Updated, Named("gpu-1"), new ArrivedReport(data), null), default);
    }

    private static ObjectIdentity Named(string name) => ObjectIdentity.Of(new V1Node { Metadata = new V1ObjectMeta { Name = name, Uid = name } });
}
