using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Ome.Operator.Reconciling;
using Ome.Operator.Watching;
using Ome.Shared.Api;
using Ome.Shared.Domain.Models;

namespace Ome.Tests.Operator;

/// <summary>A model that is deleted and created again under its name is another model: late news of the former loses and mixes nothing of the new one.</summary>
public sealed class RebornModelTests : OperatorFixture
{
    private const string Name = "phoenix";

    [Test, CancelAfter(180_000)]
    public async Task Late_news_of_the_former_life_takes_nothing_from_the_new_one(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var former = await BornAsync("hf://org/former", cancellationToken);
        var key = ModelKey.Cluster(Name);
        await ReportAsync(node, key, Ready("hf://org/former"), cancellationToken);
        await UntilAsync(key, static one => one.Status?.State == "Ready", cancellationToken);
        await ReportAsync(node, key, (string?)null, cancellationToken);
        await DeleteAsync(key, cancellationToken);
        await UntilGoneAsync(key, cancellationToken);
        var reborn = await BornAsync("hf://org/new", cancellationToken);
        reborn.Uid().Should().NotBe(former.Uid());
        var services = Operator!.Services;

        // A run and a deletion of the former life that come after the new one was looked at.
        await services.GetRequiredService<ModelReconciler>().ReconcileAsync(former, static (_, _, _, _, _) => Task.CompletedTask, cancellationToken);
        services.GetRequiredService<ModelReconciler>().Forget(key, former.Uid());

        services.GetRequiredService<ReportIndex>().Knows(key, out var uid).Should().BeTrue();
        uid.Should().Be(reborn.Uid());
        await ReportAsync(node, key, Ready("hf://org/new"), cancellationToken);
        var found = await UntilAsync(key, static one => one.Status?.State == "Ready", cancellationToken);
        found.Uid().Should().Be(reborn.Uid());
        found.Status.NodesReady.Should().Equal([node], "the report speaks of the new one's files");

        services.GetRequiredService<ModelReconciler>().Forget(key, reborn.Uid());
        services.GetRequiredService<ReportIndex>().Knows(key, out _).Should().BeFalse();
        await services.GetRequiredService<ModelReconciler>().ReconcileAsync(found, static (_, _, _, _, _) => Task.CompletedTask, cancellationToken);
        await ReportAsync(node, key, (string?)null, cancellationToken);
        await DeleteAsync(key, cancellationToken);
        await UntilGoneAsync(key, cancellationToken);
    }

    [Test, CancelAfter(180_000)]
    public async Task Each_of_many_lives_in_a_row_gets_the_status_of_its_own_reports(CancellationToken cancellationToken)
    {
        var (key, node) = (ModelKey.Cluster(Name), await NodeAsync(cancellationToken));
        for (var life = 0; life < 10; life++)
        {
            var uri = $"hf://org/life-{life}";
            await ReportAsync(node, key, Ready(uri), cancellationToken);
            var born = await BornAsync(uri, cancellationToken);
            await UntilAsync(key, found => found.Uid() == born.Uid() && found.Status?.NodesReady?.SequenceEqual([node]) == true, cancellationToken);
            await DeleteAsync(key, cancellationToken);
            await ReportAsync(node, key, (string?)null, cancellationToken);
            await UntilGoneAsync(key, cancellationToken);
        }
    }

    private async Task<ClusterBaseModel> BornAsync(string uri, CancellationToken cancellationToken)
    {
        var key = await ModelAsync(cancellationToken, model =>
        {
            model.Metadata.Name = Name;
            model.Spec.Storage.StorageUri = uri;
        });
        return await UntilAsync(key, found => found.Spec.Storage.StorageUri == uri && found.Status?.State is not null, cancellationToken);
    }

    private static string Ready(string uri) => $$"""{"status":"Ready","storageUri":"{{uri}}"}""";
}
