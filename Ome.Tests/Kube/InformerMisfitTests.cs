using System.Text.Json.Nodes;
using k8s.Models;
using Ome.Shared.Kube;

namespace Ome.Tests.Kube;

/// <summary>Objects that are there and cannot be read hide no other.</summary>
public sealed class InformerMisfitTests : InformerFixture
{
    [Test, CancelAfter(Limit)]
    public async Task One_object_that_cannot_be_read_hides_no_other_and_is_told_of_once_for_each_version(CancellationToken cancellationToken)
    {
        foreach (var name in new[] { "a", "c" }) Server.Put(name);
        Server.Put("b", fill: Spoil);
        var informer = Run(Quick with { PageSize = 2 });
        await informer.WaitForSyncAsync(cancellationToken);

        informer.Snapshot().Should().HaveCount(2);
        (await NextAsync(cancellationToken)).Object.Name.Name.Should().Be("a");
        (await NextAsync(cancellationToken)).Object.Name.Name.Should().Be("c");
        Misfits.Should().Equal(("b", true));
        Told("b").Should().ContainSingle().Which.Should().Contain("$.data");

        await RelistAsync(cancellationToken);
        Told("b").Should().ContainSingle("it is the version that was told of");
        Server.Put("b", fill: Spoil);
        await UntilAsync(() => Told("b").Count == 2, cancellationToken);

        Server.Put("b");
        (await NextAsync(cancellationToken)).Should().Match<InformerEvent<string>>(e => e.Type == InformerEventType.Added && e.Object.Name.Name == "b");
        await UntilAsync(() => Misfits.LastOrDefault() == ("b", false), cancellationToken);
        informer.Count.Should().Be(3);
    }

    [TestCase(false), TestCase(true), CancelAfter(Limit)]
    public async Task What_was_known_of_an_object_stands_until_it_can_be_read_or_is_gone(bool relists, CancellationToken cancellationToken)
    {
        var good = Server.Put("a");
        var informer = Run(Quick);
        await informer.WaitForSyncAsync(cancellationToken);
        await NextAsync(cancellationToken);

        Server.Put("a", fill: Spoil);
        await UntilAsync(() => Misfits.Contains(("a", true)), cancellationToken);
        if (relists) await RelistAsync(cancellationToken);
        informer.Snapshot().Should().Equal(good);
        Events.Reader.TryRead(out _).Should().BeFalse("it is not gone");

        Server.Delete("a");
        (await NextAsync(cancellationToken)).Should().Match<InformerEvent<string>>(e => e.Type == InformerEventType.Deleted && e.Item == good);
        await UntilAsync(() => Misfits.Contains(("a", false)), cancellationToken);
        informer.Count.Should().Be(0);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_misfit_that_went_while_nobody_watched_is_told_of(CancellationToken cancellationToken)
    {
        Server.Put("a", fill: Spoil);
        var informer = Run(Quick);
        await informer.WaitForSyncAsync(cancellationToken);

        Server.Refusal = 503;
        Server.DropWatches();
        Server.Delete("a");
        Server.Compact();
        Server.Refusal = null;

        await UntilAsync(() => Misfits.Contains(("a", false)), cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_projection_that_throws_costs_only_its_object(CancellationToken cancellationToken)
    {
        foreach (var name in new[] { "a", "bad", "c" }) Server.Put(name);
        var informer = new Informer<V1ConfigMap, string>(
            Server.Client, Quick, map => map.Name() == "bad" ? throw new FormatException("no number") : map.Name(), (_, _) => ValueTask.CompletedTask, TimeProvider.System, Log, Note);
        Running = informer.RunAsync(Stop.Token);
        await informer.WaitForSyncAsync(cancellationToken);

        informer.Snapshot().Should().BeEquivalentTo("a", "c");
        Misfits.Should().Equal(("bad", true));
        Told("bad").Should().ContainSingle().Which.Should().Contain("no number");
        Server.Put("d");
        await UntilAsync(() => informer.Count == 3, cancellationToken);
    }

    private List<string> Told(string name) => [.. Log.Lines.Where(line => line.Id == 2105 && line.Text.Contains($"ome/{name} ")).Select(line => line.Text)];

    /// <summary>Data is an object in every other.</summary>
    private static void Spoil(JsonObject body) => body["data"] = "a text";

    /// <summary>History is lost, and the next list handled.</summary>
    private async Task RelistAsync(CancellationToken cancellationToken)
    {
        Server.Refusal = 503;
        Server.DropWatches();
        Server.Put("after");
        Server.Compact();
        Server.Refusal = null;
        (await NextAsync(cancellationToken)).Object.Name.Name.Should().Be("after");
        Server.Delete("after");
        (await NextAsync(cancellationToken)).Type.Should().Be(InformerEventType.Deleted);
    }
}
