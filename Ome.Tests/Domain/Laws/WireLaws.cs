using CsCheck;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Objects;
using Ome.Shared.Domain.Reporting;

namespace Ome.Tests.Domain.Laws;

/// <summary>What holds for every name, URI, path and entry.</summary>
public sealed class WireLaws
{
    [Test]
    public void A_data_key_that_is_not_shortened_reads_back() => Gen.Select(WireGen.Name, WireGen.Name, Gen.Bool).Sample((ns, name, cluster) =>
    {
        var model = cluster ? ModelKey.Cluster(name) : ModelKey.Namespaced(ns, name);

        model.DataKey.Length.Should().BeLessThanOrEqualTo(OmeNames.MaxNameLength);
        model.LabelKey.Length.Should().BeLessThanOrEqualTo("models.ome.io/".Length + 49);
        ModelKey.TryParseDataKey(model.DataKey, out var parsed).Should().BeTrue();
        parsed!.DataKey.Should().Be(model.DataKey, "an entry found under a key goes back under that key");
        var verbatim = cluster ? name.Length <= 236 : ns.Length + name.Length <= 242 && ns != "clusterbasemodel" && !ns.Contains(".basemodel.", StringComparison.Ordinal);
        if (verbatim && !(ns + ".").StartsWith("clusterbasemodel.", StringComparison.Ordinal)) parsed.Should().Be(model);
    });

    [Test]
    public void Two_models_share_a_data_key_only_when_their_texts_collide() => Gen.Select(WireGen.Name, WireGen.Name).Sample((one, other) =>
    {
        if (one != other) ModelKey.Cluster(one).DataKey.Should().NotBe(ModelKey.Cluster(other).DataKey);
    });

    [Test]
    public void Any_text_is_a_key_or_no_key() => WireGen.Any.Sample(text =>
    {
        if (ModelKey.TryParseDataKey(text, out var model)) model.DataKey.Should().Be(text);
    });

    [Test]
    public void Any_text_is_a_uri_or_a_refusal_inside_it() => WireGen.Uri.Sample(text =>
    {
        if (StorageUri.TryParse(text, out var uri, out var refusal))
        {
            uri.Text.Should().Be(text);
            text.Should().StartWith(uri.Scheme);
        }
        else
        {
            refusal.Position.Should().BeInRange(0, text.Length);
            refusal.Reason.Should().NotBeEmpty();
        }
    });

    [Test]
    public void No_destination_leaves_its_root() => Gen.Select(WireGen.Uri, WireGen.Any, Gen.Bool, WireGen.OneOf("/mnt/models", "/a", "/mnt/models/")).Sample((text, path, prefixed, root) =>
    {
        if (!StorageUri.TryParse(text, out var uri, out _)) return;
        if (!new DestinationRule(root).TryResolve(uri, prefixed ? root + "/" + path : path, out var destination, out var refusal))
        {
            refusal.Should().NotBeEmpty();
            return;
        }

        var full = Path.GetFullPath(destination);
        full.Should().Be(destination, "nothing is left to normalise");
        full.Should().StartWith(root.TrimEnd('/') + "/").And.NotStartWith(root.TrimEnd('/') + "/.ome/");
        full.Length.Should().BeGreaterThan(root.TrimEnd('/').Length + 1);
    });

    [Test]
    public void No_path_of_an_artifact_leaves_its_root() => Gen.Select(WireGen.Any, WireGen.Any, Gen.Bool).Sample((text, prefix, prefixed) =>
    {
        if (ArtifactPath.TryParse(text, out var path, out _)) Path.GetFullPath("/root/" + path).Should().Be("/root/" + path);
        if (ObjectNames.TryMap(prefixed ? prefix + text : text, prefix, out var file, out _)) Path.GetFullPath("/root/" + file).Should().Be("/root/" + file);
    });

    [Test]
    public void An_entry_written_and_read_is_the_same_entry() => WireGen.Entry.Sample(entry =>
    {
        var text = NodeReportCodec.Encode(entry);

        NodeReportCodec.TryDecode(text, out var read, out var error).Should().BeTrue(error);
        NodeReportCodec.Encode(read!).Should().Be(text);
        read!.Status.Should().Be(entry.Status);
        read.Progress.Should().Be(entry.Progress);
        read.Validation.Should().Be(entry.Validation);
    });

    [Test]
    public void Unknown_members_survive_at_every_level() => Gen.Select(WireGen.Entry, Gen.Int).Sample((entry, number) =>
    {
        var text = NodeReportCodec.Encode(entry);
        var newer = text[..^1] + ",\"zz\":{\"n\":" + number + ",\"deep\":[null,{\"a\":\"b\"}]}}";

        NodeReportCodec.TryDecode(newer, out var read, out _).Should().BeTrue();
        NodeReportCodec.Encode(read!).Should().Be(newer);
    });

    [Test]
    public void A_damaged_entry_is_an_entry_or_an_error_and_costs_little() => WireGen.EntryText.Sample(text =>
    {
        var before = GC.GetAllocatedBytesForCurrentThread();

        var isEntry = NodeReportCodec.TryDecode(text, out var entry, out var error);

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(64 << 20);
        isEntry.Should().Be(entry is not null).And.Be(error is null);
        if (entry is null) return;
        var again = NodeReportCodec.Encode(entry);
        NodeReportCodec.TryDecode(again, out var twice, out _).Should().BeTrue();
        NodeReportCodec.Encode(twice!).Should().Be(again, "output depends on the entry alone");
    });

    [Test]
    public void A_deep_or_huge_entry_is_refused_in_little_memory()
    {
        foreach (var text in new[] { new string('[', 200_000), """{"config":""" + string.Concat(Enumerable.Repeat("""{"a":""", 100_000)), "{\"name\":\"" + new string('x', 5 << 20) + "\"}" })
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            NodeReportCodec.TryDecode(text, out _, out var error).Should().BeFalse();
            error!.Length.Should().BeLessThan(300);
            (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(64 << 20);
        }
    }
}
