using System.Collections.Immutable;
using System.Text.Json;
using Ome.Agent.Verification;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;
using Spectre.Console;

namespace Ome.Agent.Cli;

/// <summary>What a command found, ready to be shown.</summary>
/// <param name="Verdict">The judgement.</param>
/// <param name="Truth">What was compared with; null when it did not come to that.</param>
internal sealed record CheckSummary(Verdict Verdict, string? Truth)
{
    public ManifestTrust Trust { get; init; }

    public int FilesChecked { get; init; }

    public long BytesChecked { get; init; }

    public ReadRoute? Route { get; init; }

    public TimeSpan Duration { get; init; }

    /// <summary>Doubts that a second look cleared.</summary>
    public int Flickers { get; init; }

    /// <summary>Files without ground truth.</summary>
    public int Unlisted { get; init; }

    public ImmutableArray<string> Skipped { get; init; } = [];

    /// <summary>Path of the manifest that was written.</summary>
    public string? Written { get; init; }

    /// <summary>What to do next.</summary>
    public string? Hint { get; init; }
}

/// <summary>Prints a summary: a table on a terminal, a line a finding elsewhere, or one JSON object.</summary>
internal sealed class CheckOutput(CliConsole console, bool json)
{
    private readonly HashSet<FileFinding> _told = [];

    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Says a finding at once where findings are lines: of many gigabytes the first bad file should not be told with the last.</summary>
    public void Tell(FileFinding finding)
    {
        if (json || console.OutIsTerminal || !_told.Add(finding)) return;
        console.Out.WriteLine(Line(finding));
        console.Out.Flush();
    }

    public async Task PrintAsync(CheckSummary summary)
    {
        if (json)
        {
            await console.Out.WriteLineAsync(ToJson(summary));
            return;
        }

        var findings = summary.Verdict.Findings;
        if (console.OutIsTerminal && findings.Any(finding => finding.Path is not null)) PrintTable(findings);
        else foreach (var finding in findings.Where(finding => !_told.Contains(finding))) await console.Out.WriteLineAsync(Line(finding));
        foreach (var skipped in summary.Skipped) await console.Error.WriteLineAsync($"not checked: {CliConsole.Plain(skipped)}");
        await console.Out.WriteLineAsync(Conclusion(summary));
        if (summary.Hint is not null) await console.Error.WriteLineAsync(CliConsole.Plain(summary.Hint));
    }

    /// <summary>The one line that says it all.</summary>
    private static string Conclusion(CheckSummary summary)
    {
        var word = summary.Verdict.Result switch { CheckResult.Valid => "intact", CheckResult.Invalid => "DAMAGED", _ => "could not verify" };
        var seconds = Math.Max(summary.Duration.TotalSeconds, 0.001);
        var parts = new List<string> { Count(summary.FilesChecked) };
        if (summary.BytesChecked > 0)
            parts.Add($"{ByteText.Format(summary.BytesChecked)} in {seconds:F2} s ({ByteText.Format((long)(summary.BytesChecked / seconds))}/s, {RouteText(summary.Route)})");
        if (summary.Truth == GroundTruth.None.Name) parts.Add(summary.Written is null ? "structure only" : "trusted as they are now");
        else if (summary.Truth is not null) parts.Add($"compared with {CliConsole.Plain(summary.Truth)}{(summary.Trust == ManifestTrust.Local && summary.Unlisted == 0 ? " (trust on first use)" : "")}");
        if (summary is { BytesChecked: 0, FilesChecked: > 0, Truth: not null } && summary.Truth != GroundTruth.None.Name) parts.Add("no content read");
        if (summary.Unlisted > 0 && summary.Truth != GroundTruth.None.Name) parts.Add($"{Count(summary.Unlisted)} without ground truth");
        if (summary.Flickers > 0) parts.Add($"{summary.Flickers} passing faults: memory, cache or medium of this machine deserve a look");
        if (summary.Written is not null) parts.Add($"manifest written to {CliConsole.Plain(summary.Written)}");
        return $"{word}: {string.Join(", ", parts)}";
    }

    private static string Count(int files) => files == 1 ? "1 file" : $"{files} files";

    private void PrintTable(ImmutableArray<FileFinding> findings)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("File", "Reason", "Expected", "Actual", "Offset", "Detail");
        foreach (var finding in findings)
        {
            var colour = finding.Reason.IsDamage() ? "red" : "yellow";
            table.AddRow(
                Cell(finding.Path?.Value), $"[{colour}]{finding.Reason}[/]", Cell(finding.Expected), Cell(finding.Actual), Cell(finding.Offset?.ToString()), Cell(finding.Detail));
        }

        console.Answers().Write(table);
    }

    private static string Cell(string? text) => Markup.Escape(CliConsole.Plain(text));

    private static string Line(FileFinding finding)
    {
        if (finding is { Path: null, Expected: null, Actual: null }) return CliConsole.Plain($"{finding.Reason}{(finding.Detail is null ? "" : ": " + finding.Detail)}");
        var text = $"{finding.Reason}: {finding.Path?.Value ?? "the directory"}";
        if (finding.Expected is not null) text += $", expected {finding.Expected}";
        if (finding.Actual is not null) text += $", found {finding.Actual}";
        if (finding.Offset is { } offset) text += $", at byte {offset}";
        if (finding.Detail is not null) text += $" ({finding.Detail})";
        return CliConsole.Plain(text);
    }

    private static string RouteText(ReadRoute? route) => route switch { ReadRoute.Direct => "from the medium", ReadRoute.Mixed => "cache and medium", _ => "through the page cache" };

    private static string ToJson(CheckSummary summary)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Indented))
        {
            writer.WriteStartObject();
            writer.WriteString("result", summary.Verdict.Result.ToString());
            writer.WriteString("reason", summary.Verdict.Reason?.ToString() ?? "Intact");
            writer.WriteStartArray("findings");
            foreach (var finding in summary.Verdict.Findings) WriteFinding(writer, finding);
            writer.WriteEndArray();
            writer.WriteNumber("filesChecked", summary.FilesChecked);
            writer.WriteNumber("bytesChecked", summary.BytesChecked);
            writer.WriteString("readPath", summary.Route?.ToString());
            writer.WriteNumber("seconds", Math.Round(summary.Duration.TotalSeconds, 3));
            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static void WriteFinding(Utf8JsonWriter writer, FileFinding finding)
    {
        writer.WriteStartObject();
        writer.WriteString("path", finding.Path?.Value);
        writer.WriteString("reason", finding.Reason.ToString());
        writer.WriteString("expected", finding.Expected);
        // What was found where a rule and not a value was broken.
        writer.WriteString("actual", finding.Actual ?? finding.Detail);
        if (finding.Offset is { } offset) writer.WriteNumber("offset", offset);
        else writer.WriteNull("offset");
        writer.WriteEndObject();
    }
}
