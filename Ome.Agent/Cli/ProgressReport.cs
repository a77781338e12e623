using Ome.Agent.Verification;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain;
using Spectre.Console;

namespace Ome.Agent.Cli;

/// <summary>Shows how far a check is: a bar with rate and time left on a terminal, a line every ten seconds elsewhere.</summary>
internal sealed class ProgressReport(CliConsole console, ReadEngine engine, TimeProvider time)
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BarInterval = TimeSpan.FromMilliseconds(200);

    private volatile CheckProgress? _latest;

    /// <summary>Runs the work while showing its progress.</summary>
    public async Task<T> RunAsync<T>(string title, Func<Action<CheckProgress>, Task<T>> work)
    {
        if (console.ErrorIsTerminal) return await RunWithBarAsync(title, work);
        var (started, before) = (time.GetTimestamp(), engine.BytesRead);
        using var timer = time.CreateTimer(_ => WriteLine(title, engine.BytesRead - before, time.GetElapsedTime(started)), null, LineInterval, LineInterval);
        return await work(progress => _latest = progress);
    }

    private async Task<T> RunWithBarAsync<T>(string title, Func<Action<CheckProgress>, Task<T>> work)
    {
        var bar = console.Status().Progress().AutoClear(true).Columns(
            new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn());
        return await bar.StartAsync(async context =>
        {
            var task = context.AddTask(Markup.Escape(CliConsole.Plain(title)), maxValue: 1);
            task.IsIndeterminate = true;
            var before = engine.BytesRead;
            await using var timer = time.CreateTimer(_ => Draw(task, title, engine.BytesRead - before), null, BarInterval, BarInterval);
            return await work(progress => _latest = progress);
        });
    }

    /// <summary>A read counts as done when it ends, 128 MiB later; what was read so far tells more.</summary>
    private void Draw(ProgressTask task, string title, long read)
    {
        if (_latest is not { BytesPlanned: > 0 } now) return;
        task.IsIndeterminate = false;
        task.MaxValue = now.BytesPlanned;
        task.Value = Math.Min(Math.Max(read, now.BytesDone), now.BytesPlanned);
        if (now.Findings > 0) task.Description = $"{Markup.Escape(CliConsole.Plain(title))} [red]{now.Findings} found[/]";
    }

    private void WriteLine(string title, long read, TimeSpan elapsed)
    {
        if (_latest is not { } now) return;
        var done = Math.Min(Math.Max(read, now.BytesDone), now.BytesPlanned);
        var rate = (long)(read / Math.Max(elapsed.TotalSeconds, 0.001));
        var left = rate > 0 ? TimeSpan.FromSeconds((now.BytesPlanned - done) / rate) : TimeSpan.Zero;
        console.Error.WriteLine(
            $"{CliConsole.Plain(title)}: {now.FilesDone} of {now.FilesTotal} files, {ByteText.Format(done)} of {ByteText.Format(now.BytesPlanned)}, {ByteText.Format(rate)}/s, {DurationText.Format(TimeSpan.FromSeconds(Math.Ceiling(left.TotalSeconds)))} left, {now.Findings} found");
    }
}
