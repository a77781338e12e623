using System.Diagnostics;
using Ome.Agent.Verification;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Benchmarks.Verify;

/// <summary>
/// Time until the first damaged file is named, cold: a byte is flipped in the middle of the first or of the last file. The tools compare with
/// sums they wrote themselves; ours once with the change visible in the stamp, and once as rot, with a manifest that has the stamp of now.
/// </summary>
internal sealed class FindRace(Field field, int rounds, Targets targets)
{
    private readonly string _rotten = Path.Combine(field.Directory, "rotten-manifest");

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var contestants = Contestants().Where(contestant => Contestant.IsOnPath(contestant.Tool)).ToList();
        foreach (var (_, _, prepare, _) in contestants.Where(contestant => contestant.Prepare is not null)) await field.RunAsync(prepare!, 2, cancellationToken);
        var manifest = ((ManifestLoad.Loaded)ManifestFile.Load(Path.Combine(field.Directory, "files", ".ome", ManifestFile.FileName))).Document.Manifest;
        Console.WriteLine($"\n   time to the first finding, cold, 2 core(s), {field.Files.Count} files, {field.Bytes >> 30} GiB, whole processes");
        Console.WriteLine($"   {"",-40} {"in the first file",20} {"in the last file",20}");
        var medians = contestants.ToDictionary(contestant => contestant.Name, _ => new List<double>());
        foreach (var file in new[] { field.Files[0], field.Files[^1] })
        {
            Flip(file);
            await WriteRottenAsync(manifest, cancellationToken);
            foreach (var (name, _, _, command) in contestants)
            {
                var seconds = new List<double>();
                for (var round = 0; round < rounds; round++)
                {
                    field.Cool();
                    seconds.Add(await TimeAsync(command, Path.GetFileName(file), cancellationToken));
                }

                medians[name].Add(seconds.Order().ElementAt(rounds / 2));
            }

            Flip(file);
        }

        foreach (var (name, seconds) in medians) Console.WriteLine($"   {name,-40} {seconds[0],18:F2} s {seconds[1],18:F2} s");
        targets.AtMost("first finding, rot in the last file, of the time of sha256sum -c", 0.5, medians["ome-agent verify, rot"][1] / medians["sha256sum -c"][1], "x");
    }

    private IEnumerable<(string Name, string? Tool, string? Prepare, string Command)> Contestants()
    {
        var (files, sums) = ($"{field.Directory}/files", field.Directory);
        yield return ("ome-agent verify, stamp changed", null, null, field.Agent($"verify {files}"));
        yield return ("ome-agent verify, rot", null, null, field.Agent($"verify {files} --manifest {_rotten}"));
        foreach (var (name, tool, check) in new[] { ("sha256sum -c", "sha256sum", "-c"), ("b3sum -c", "b3sum", "-c"), ("xxhsum -H2 -c", "xxhsum", "-c") })
            yield return (name, tool, $"{tool}{(tool == "xxhsum" ? " -H2" : "")} {field.FileList} > {sums}/{tool}.sums", $"stdbuf -oL {tool} {check} {sums}/{tool}.sums");
    }

    /// <summary>Seconds from the start of the process until a line names the file as bad. The exit code says "damaged" and is expected.</summary>
    private static async Task<double> TimeAsync(string command, string file, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("sh", ["-c", command]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        double? found = null;
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (found is null && line.Contains(file, StringComparison.Ordinal) && !line.EndsWith("OK", StringComparison.Ordinal)) found = clock.Elapsed.TotalSeconds;
        }

        await process.WaitForExitAsync(cancellationToken);
        return found ?? throw new IOException($"'{command}' did not find the damage in {file}: {await errors}");
    }

    /// <summary>Changes a byte in the middle, or changes it back.</summary>
    private static void Flip(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        file.Position = file.Length / 2;
        var value = (byte)~file.ReadByte();
        file.Position = file.Length / 2;
        file.WriteByte(value);
        file.Flush(flushToDisk: true);
    }

    /// <summary>The manifest with the stamps the files have now, as if the byte had rotted below the file system.</summary>
    private async Task WriteRottenAsync(ArtifactManifest manifest, CancellationToken cancellationToken)
    {
        using var budget = new IoBudget(0, TimeProvider.System);
        using var engine = new ReadEngine(new ReadEngineOptions(), budget, TimeProvider.System);
        using var root = ((ArtifactRootResult.Opened)await engine.OpenRootAsync($"{field.Directory}/files", null, cancellationToken)).Root;
        var probe = new FileProbe(engine);
        var entries = manifest.Entries.Select(entry => entry with { Stamp = ((FileObservation.Present)probe.Stat(root, entry.Path)).Stamp });
        ManifestFile.Save(_rotten, new ArtifactManifest(manifest.Source, manifest.Trust, manifest.CreatedAt, entries, manifest.ChunkBytes));
    }
}
