using System.Text;
using System.Text.Json;
using CsCheck;
using k8s;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Kube;
using Ome.Tests.Domain.Laws;

namespace Ome.Tests.Domain.Reporting;

/// <summary>A report from the bytes of the wire says what a report from its texts says, and a bad value spoils only itself.</summary>
public sealed class ReportDataTests
{
    [Test]
    public void Bytes_and_texts_give_the_same_items() => WireGen.EntryText.List[0, 6].Sample(texts =>
    {
        var data = texts.Select(static (text, i) => (Key: "clusterbasemodel.m" + i, Text: text)).ToDictionary(static pair => pair.Key, static pair => pair.Text);
        using var fromTexts = ReportData.Of(data);
        using var fromWire = Read(JsonSerializer.Serialize(data));

        for (var i = 0; i < texts.Count; i++)
        {
            fromTexts.Key(i).Should().Be("clusterbasemodel.m" + i);
            Text(fromTexts.Item(i)).Should().Be(Text(NodeReportItem.Read(texts[i])));
            // A writer of JSON has no form for half a character; what it sends instead is not the same text.
            if (texts[i].EnumerateRunes().All(static rune => rune != Rune.ReplacementChar)) Text(fromWire.Item(i)).Should().Be(Text(NodeReportItem.Read(texts[i])));
        }
    });

    [TestCase("""{"a":null}""", "no text")]
    [TestCase("""{"a":{"nested":["{}"]}}""", "no text")]
    [TestCase("""{"a":7}""", "no text")]
    [TestCase("""{"a":"\ud83d half"}""", "not an entry: the text is not valid Unicode")]
    [TestCase("""{"a":""}""", null)]
    public void What_is_no_entry_is_said_and_the_next_is_read(string json, string? error)
    {
        using var data = Read(json[..^1] + ""","b":"{\"status\":\"Ready\"}"}""");

        if (error is null) data.Item(0).Error.Should().StartWith("not an entry");
        else data.Item(0).Error.Should().Be(error);
        data.Item(1).Entry!.State.Should().Be(NodeModelState.Ready);
    }

    [Test]
    public void A_report_larger_than_any_first_buffer_is_whole()
    {
        var data = Enumerable.Range(0, 300).ToDictionary(static i => $"clusterbasemodel.m{i:D3}", static i => $$"""{"name":"m{{i:D3}}","status":"Ready","storagePath":"{{new string('x', 2000)}}"}""");

        using var read = Read(JsonSerializer.Serialize(data));

        read.Count.Should().Be(300);
        for (var i = 0; i < 300; i++) read.Item(i).Entry!.Name.Should().Be($"m{i:D3}");
    }

    [Test]
    public void A_ConfigMap_is_read_as_the_client_reads_it()
    {
        using var map = KubernetesJson.Deserialize<ReportMap>("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"gpu-1","uid":"u","resourceVersion":"7","labels":{"a":"b"}},"data":{"clusterbasemodel.m":"{\"status\":\"Failed\"}"},"binaryData":{"x":"AA=="},"immutable":false}""");

        map.Metadata.Name.Should().Be("gpu-1");
        map.Metadata.ResourceVersion.Should().Be("7");
        map.Data!.Item(0).Entry!.State.Should().Be(NodeModelState.Failed);
        using var empty = KubernetesJson.Deserialize<ReportMap>("""{"metadata":{"name":"gpu-2"},"data":null}""");
        empty.Data.Should().BeNull();
    }

    private static string Text(NodeReportItem item) => item.Entry is { } entry ? NodeReportCodec.Encode(entry) : item.Error!;

    private static ReportData Read(string json)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
        reader.Read();
        return ReportData.Read(ref reader);
    }
}
